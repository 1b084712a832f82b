"""`scratch()`: a folder for the files that a step makes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

_attempt: ContextVar[Callable[[], Path] | None] = ContextVar("crossdock_scratch", default=None)
_of_process: dict[int, Any] = {}


def scratch() -> Path:
    """A new, empty folder for files that a step makes and returns.

    In a run it belongs to the attempt, and is deleted once what the step returned is in the artifact store. In a
    step that is called as a plain function it lives as long as the process.
    """
    import tempfile

    folder = _attempt.get()
    if folder is not None:
        return _numbered(folder())
    process = os.getpid()
    if process not in _of_process:
        _of_process[process] = tempfile.TemporaryDirectory(prefix="crossdock-", ignore_cleanup_errors=True)
    return _numbered(Path(_of_process[process].name))


def _numbered(folder: Path) -> Path:
    """A new folder whose name is the same in each run: the name of what a step returns is part of its digest."""
    number = sum(1 for _ in folder.iterdir()) + 1
    while True:
        try:
            (folder / f"files-{number}").mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder / f"files-{number}"


@contextlib.contextmanager
def scratch_from(folder: Callable[[], Path]) -> Iterator[None]:
    """Let `scratch()` make its folders in that of an attempt."""
    token = _attempt.set(folder)
    try:
        yield
    finally:
        _attempt.reset(token)
