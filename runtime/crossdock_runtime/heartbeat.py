"""A running attempt says every 15 seconds that it is alive; one thread does it for the whole process."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from crossdock_runtime.record import HEARTBEAT_SECONDS, TaskRecord

_running: dict[int, tuple[float, TaskRecord, int]] = {}
_lock = threading.Lock()
_thread: threading.Thread | None = None
_wake = threading.Event()


@contextlib.contextmanager
def beating(record: TaskRecord, attempt: int) -> Iterator[None]:
    """Keep the attempt's heartbeat meanwhile."""
    entry = (time.monotonic(), record, attempt)
    with _lock:
        _running[id(entry)] = entry
        _start()
    try:
        yield
    finally:
        with _lock:
            _running.pop(id(entry), None)


def _start() -> None:
    global _thread
    if _thread is None or not _thread.is_alive():
        _thread = threading.Thread(target=_beat, name="crossdock-heartbeat", daemon=True)
        _thread.start()


def _beat() -> None:
    while True:
        _wake.wait(HEARTBEAT_SECONDS)
        with _lock:
            due = [entry for entry in _running.values() if time.monotonic() - entry[0] >= HEARTBEAT_SECONDS - 1]
        for _, record, attempt in due:
            with contextlib.suppress(Exception):
                record.beat(attempt)
