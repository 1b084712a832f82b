"""Programs that a task starts: none is forgotten, and what they started ends with them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from types import FrameType

GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL."""


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Keep SIGINT and SIGTERM until the end of the block; only the main thread is interrupted by them at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    before = {
        number: signal.signal(number, lambda got, frame: came.append((got, frame)))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for got, _ in came:
            signal.raise_signal(got)


def end_group(process: subprocess.Popen[str]) -> None:
    """End a program that leads a session, and all that it left running."""
    if process.stdout is not None:
        process.stdout.close()
    if process.poll() is None:
        _send(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GRACE_SECONDS)
    _send(process, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    process.wait()


def _send(process: subprocess.Popen[str], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, number)
        else:
            process.terminate()
