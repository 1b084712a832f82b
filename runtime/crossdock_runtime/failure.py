"""Why a task failed, in one vocabulary for every target, and the runtime's exit codes."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdock.dsl.errors import CrossdockError, StoreError
from crossdock.dsl.frozen import frozen

if TYPE_CHECKING:
    import traceback

DONE = 0
USER_CODE = 10
PERMANENT = 11
TIMED_OUT = 12
BAD_INPUT = 20
INFRASTRUCTURE = 30
SKIPPED = 99

KINDS = {
    "user exception": USER_CODE,
    "wrong output": PERMANENT,
    "program failed": USER_CODE,
    "timeout": TIMED_OUT,
    "import error": PERMANENT,
    "bad input": BAD_INPUT,
    "missing secret": INFRASTRUCTURE,
    "store": INFRASTRUCTURE,
    "out of memory": INFRASTRUCTURE,
    "killed": INFRASTRUCTURE,
    "terminated": INFRASTRUCTURE,
    "cancelled": PERMANENT,
    "upstream failed": PERMANENT,
}

_OURS = str(Path(__file__).parent)


class Cancelled(BaseException):
    """The run was cancelled, or the process was told to end, while a step ran."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Exited(BaseException):
    """A step called `os._exit`: no error that it would catch itself."""


def is_told_to_end(error: BaseException) -> bool:
    """Whether somebody else wants the end: where SIGINT is ignored, as in workers, a step interrupted itself."""
    if isinstance(error, KeyboardInterrupt):
        return signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
    return isinstance(error, Cancelled)


class TaskFailed(Exception):
    """A failure whose cause is known by name."""

    def __init__(self, kind: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.hint = hint


@frozen
class Cause:
    """Why an attempt failed.

    Attributes:
        kind: a key of `KINDS`.
        message: one line.
        type: dotted name of the exception, where one was raised.
        bases: dotted names of its base classes, for `Retry(on=…)`.
        traceback: the user's own frames.
        hint: what to do.
    """

    kind: str
    message: str
    type: str = ""
    bases: tuple[str, ...] = ()
    traceback: str = ""
    hint: str = ""

    @property
    def exit_code(self) -> int:
        return KINDS[self.kind]

    def to_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"kind": self.kind, "message": self.message}
        for name in ("type", "traceback", "hint"):
            if getattr(self, name):
                body[name] = getattr(self, name)
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Cause:
        return cls(
            body.get("kind", "killed"),
            body.get("message", ""),
            body.get("type", ""),
            (),
            body.get("traceback", ""),
            body.get("hint", ""),
        )


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def cause_of(error: BaseException) -> Cause:
    """The cause that an exception tells."""
    if isinstance(error, Cancelled):
        return Cause(error.kind, "the run was cancelled" if error.kind == "cancelled" else "told to end by SIGTERM")
    if isinstance(error, KeyboardInterrupt) and is_told_to_end(error):
        return Cause("cancelled", "interrupted")
    if isinstance(error, Exited):
        hint = "return from the step, or raise an exception"
        return Cause("killed", str(error), traceback=user_traceback(error), hint=hint)
    if isinstance(error, TaskFailed):
        return Cause(error.kind, str(error), hint=error.hint or "")
    if isinstance(error, StoreError):
        return Cause("store", error.message, hint=error.hint or "")
    if isinstance(error, CrossdockError):
        return Cause("bad input", error.message, hint=error.hint or "")
    kind = "out of memory" if isinstance(error, MemoryError) else "user exception"
    message = str(error).strip().splitlines()
    name = _name(type(error))
    return Cause(
        kind,
        f"{name}: {message[0]}" if message else name,
        type=name,
        bases=tuple(_name(base) for base in type(error).__mro__),
        traceback=user_traceback(error),
    )


def user_traceback(error: BaseException) -> str:
    """The traceback without our own frames on top."""
    import traceback

    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_OURS):
        frame = frame.tb_next
    shown = traceback.TracebackException(type(error), error, frame)
    _trim(shown)
    return "".join(shown.format())


def _trim(shown: traceback.TracebackException) -> None:
    for inner in (shown.__cause__, shown.__context__):
        if inner is not None:
            kept = [item for item in inner.stack if not item.filename.startswith(_OURS)]
            inner.stack[:] = kept
            _trim(inner)
