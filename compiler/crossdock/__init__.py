"""Crossdock: write an ML pipeline once in plain Python; compile it to the workflow engine you have.

The names below load when they are first used.
"""

from __future__ import annotations

__version__ = "0.1.0"

_DSL = (
    "Artifact", "Cache", "CrossdockError", "InputPath", "InputValue", "OutputPath", "Resources", "Retry", "RunStatus",
    "Secret", "Settings", "after", "container_step", "is_in", "map", "on_exit", "one_of", "pipeline", "scratch", "step",
    "when",
)  # fmt: skip
_HOMES = {
    **dict.fromkeys(_DSL, "crossdock.dsl"),
    "Client": "crossdock.client",
    "Materializer": "crossdock_runtime.materializers.base",
}

__all__ = [
    "Artifact",
    "Cache",
    "Client",
    "CrossdockError",
    "InputPath",
    "InputValue",
    "Materializer",
    "OutputPath",
    "Resources",
    "Retry",
    "RunStatus",
    "Secret",
    "Settings",
    "__version__",
    "after",
    "container_step",
    "is_in",
    "map",
    "on_exit",
    "one_of",
    "pipeline",
    "scratch",
    "step",
    "when",
]

TYPE_CHECKING = False  # as typing's own, which takes 5 ms to import
if TYPE_CHECKING:
    from typing import Any

    from crossdock.client import Client
    from crossdock.dsl import (
        Artifact,
        Cache,
        CrossdockError,
        InputPath,
        InputValue,
        OutputPath,
        Resources,
        Retry,
        RunStatus,
        Secret,
        Settings,
        after,
        container_step,
        is_in,
        map,
        on_exit,
        one_of,
        pipeline,
        scratch,
        step,
        when,
    )
    from crossdock_runtime.materializers.base import Materializer


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'crossdock' has no attribute {name!r}") from None
    import importlib

    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
