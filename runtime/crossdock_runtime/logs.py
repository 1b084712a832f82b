"""A task's log: what it prints, line by line with the time, to the store and to whoever listens."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator

from crossdock_runtime.record import TaskRecord, now
from crossdock_runtime.redaction import SHORTEST, Redaction

CHUNK_BYTES = 64 * 1024
CHUNK_SECONDS = 10.0
_LAST_WORDS_SECONDS = 1.0
"""A program that a step left running keeps the pipe open: it is not waited for longer."""


class TaskLog:
    """Collects lines and writes them to the store in chunks; secrets are blanked.

    Args:
        record: the task's record.
        attempt: number of the attempt.
        listen: is given each line as it comes.
    """

    def __init__(self, record: TaskRecord, attempt: int, listen: Callable[[str], None] | None = None) -> None:
        self._record = record
        self._attempt = attempt
        self._redaction = Redaction()
        self._listen = listen
        self._lines: list[str] = []
        self._size = 0
        self._sequence = 0
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def hide(self, name: str, secret: str) -> None:
        """Blank a secret's value from now on."""
        self._redaction.hide(secret)
        if len(secret) < SHORTEST:
            self.line(f"crossdock: the secret {name} is not blanked here: it has fewer than {SHORTEST} characters")

    def blank(self, text: str) -> str:
        """A text without the secrets in it."""
        return self._redaction.blank(text)

    def line(self, text: str) -> None:
        """Add one line."""
        text = self.blank(text.rstrip("\n"))
        with self._lock:
            self._lines.append(f"{now()} {text}\n")
            self._size += len(text)
            due = self._size > CHUNK_BYTES or time.monotonic() - self._last > CHUNK_SECONDS
        if self._listen is not None:
            self._listen(text)
        if due:
            self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        with self._lock:
            if not self._lines:
                return
            data = "".join(self._lines).encode("utf-8", "replace")
            self._lines.clear()
            self._size = 0
            self._last = time.monotonic()
            self._sequence += 1
            key = f"{self._record.key}/attempts/{self._attempt}/log/{self._sequence:06d}"
        self._record.store.create(key, data)


class _Lines(io.TextIOBase):
    """A text stream that hands on whole lines."""

    def __init__(self, emit: Callable[[str], None], original: object) -> None:
        self._emit = emit
        self._rest = ""
        self._original = original
        self.buffer = _Bytes(self)

    def write(self, text: str) -> int:
        self._rest += text
        if "\n" in text:
            *lines, self._rest = self._rest.split("\n")
            for line in lines:
                self._emit(line)
        return len(text)

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        pass

    def finish(self) -> None:
        if self._rest:
            self._emit(self._rest)
            self._rest = ""

    def fileno(self) -> int:
        return self._original.fileno()  # type: ignore[attr-defined, no-any-return]

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"


class _Bytes(io.RawIOBase):
    """The `buffer` of a text stream, for those who write bytes to it."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]
        count = memoryview(data).nbytes
        self._lines.write(self._decoder.decode(bytes(data)))
        return count

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._lines.fileno()


@contextlib.contextmanager
def captured(log: TaskLog, *, descriptors: bool = False) -> Iterator[None]:
    """What is printed goes to the log meanwhile.

    Args:
        log: takes the lines.
        descriptors: take what programs and C libraries write as well; for a process in which nothing else prints.
    """
    out, err = _Lines(log.line, sys.__stdout__), _Lines(log.line, sys.__stderr__)
    try:
        with contextlib.ExitStack() as stack:
            if descriptors:
                stack.enter_context(_descriptors(log.line))
            stack.enter_context(contextlib.redirect_stdout(out))
            stack.enter_context(contextlib.redirect_stderr(err))
            yield
    finally:
        out.finish()
        err.finish()
        log.flush()


@contextlib.contextmanager
def _descriptors(emit: Callable[[str], None]) -> Iterator[None]:
    """Read what is written to the descriptors 1 and 2."""
    saved = [(number, os.dup(number)) for number in (1, 2)]
    reading, writing = os.pipe()
    for number, _ in saved:
        os.dup2(writing, number)
    os.close(writing)

    def read() -> None:
        with open(reading, encoding="utf-8", errors="replace") as lines:  # noqa: PTH123 - a descriptor, no path
            for line in lines:
                emit(line)

    thread = threading.Thread(target=read, name="crossdock-output", daemon=True)
    thread.start()
    try:
        yield
    finally:
        for number, copy in saved:
            os.dup2(copy, number)
            os.close(copy)
        thread.join(_LAST_WORDS_SECONDS)
