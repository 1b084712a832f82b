"""The conformance kit: what every orchestrator has to keep, ours and those of third parties (docs/adapters.md).

    from crossdock.testing import OrchestratorConformance

It needs pytest, which Crossdock itself does not install.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossdock.testing.case import Case
    from crossdock.testing.cases import CASES
    from crossdock.testing.suite import OrchestratorConformance, RunConformance

__all__ = ["CASES", "Case", "OrchestratorConformance", "RunConformance"]

_HOMES = {"CASES": "cases", "Case": "case", "OrchestratorConformance": "suite", "RunConformance": "suite"}


def __getattr__(name: str) -> Any:
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name in ("pytest", "packaging"):
            raise ImportError(f"the conformance kit needs pytest: pip install pytest ({error})") from error
        raise
