"""The door between what a user writes and the tracer: the recorder that is active while a pipeline is traced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, Protocol


class Recorder(Protocol):
    """What the tracer offers to the words of the DSL. `where` is `file:line` of the user's code."""

    def call(self, step: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str) -> Any: ...

    def call_pipeline(self, pipeline: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str) -> Any: ...

    def order(self, result: Any, others: tuple[Any, ...], where: str) -> None: ...

    def when(self, condition: Any, where: str) -> AbstractContextManager[Any]: ...

    def otherwise(self, branch: Any, where: str) -> AbstractContextManager[Any]: ...

    def map(self, body: Callable[[Any], Any], items: Any, concurrency: int | None, where: str) -> Any: ...

    def one_of(self, options: tuple[Any, ...], where: str) -> Any: ...

    def on_exit(self, step: Any, kwargs: Mapping[str, Any], where: str) -> None: ...


active: ContextVar[Recorder | None] = ContextVar("crossdock_recorder", default=None)
