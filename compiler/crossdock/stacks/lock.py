"""A lock between processes: a file that the system holds for one of them, and lets go of when that one is killed."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_PAUSE = 0.02


@contextlib.contextmanager
def locked(file: Path, seconds: float) -> Iterator[None]:
    """Hold a lock file.

    Args:
        file: it is made when it is not there, with its folder; whoever holds it may delete it.
        seconds: how long to wait for whoever holds it.

    Raises:
        TimeoutError: it is still held.
        OSError: the file cannot be opened for writing.
    """
    deadline = time.monotonic() + seconds
    while (handle := _held(file)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{file} is held by another process")
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        os.close(handle)


def _held(file: Path) -> int | None:
    """A handle that holds the lock, or None. Only the file that is there now counts: an older one was deleted."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    except FileNotFoundError:
        return None
    with contextlib.suppress(FileNotFoundError):
        if _take(handle) and os.path.samestat(os.fstat(handle), file.stat()):
            return handle
    os.close(handle)
    return None


if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
