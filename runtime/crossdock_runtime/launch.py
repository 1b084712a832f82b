"""Where the tasks of a run are performed: in this process, or in worker processes. Adapters add containers and more."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from multiprocessing.connection import wait
from typing import Any, TypeAlias

from crossdock_runtime import isolate
from crossdock_runtime.context import Outcome, Ready, RunContext
from crossdock_runtime.contract import Task
from crossdock_runtime.execute import perform
from crossdock_runtime.failure import Cause
from crossdock_runtime.prepare import prepare
from crossdock_runtime.record import Index

POLL_SECONDS = 1.0

Heard: TypeAlias = tuple[str, Ready, Any]
"""`("line", ready, text)` for what a task printed, `("ended", ready, outcome)` once it has ended."""


class Launcher(abc.ABC):
    """Performs what the driver hands out. One launcher serves one run.

    Args:
        context: the run.
    """

    def __init__(self, context: RunContext) -> None:
        self.context = context

    def prepare(self, task: Task, index: Index) -> Outcome | Ready:
        """What is to be done with a task, as far as it can be told from here; see `prepare.prepare`."""
        return prepare(self.context, task, index)

    @property
    @abc.abstractmethod
    def has_room(self) -> bool:
        """Whether another task may start."""

    @abc.abstractmethod
    def start(self, ready: Ready) -> Outcome | None:
        """Perform a task, and return how it ended; None where it goes on beside the driver, and is heard of later."""

    def hear(self) -> Iterator[Heard]:
        """What happened to the tasks beside the driver; waits for it, though not longer than `POLL_SECONDS`."""
        yield from ()

    def cancel(self) -> Iterator[Ready]:
        """End all tasks beside the driver, and give those that were cut off."""
        yield from ()

    def close(self) -> None:  # noqa: B027 - not every launcher has something to close
        """There is nothing more to do."""


class Here(Launcher):
    """One task after the other, in this process."""

    has_room = True

    def start(self, ready: Ready) -> Outcome:
        return perform(self.context, ready)


class Workers(Launcher):
    """Several tasks at once, in worker processes."""

    def __init__(self, context: RunContext, count: int) -> None:
        super().__init__(context)
        self._count = count
        self._busy: dict[int, tuple[isolate.Worker, Ready]] = {}
        self._idle: list[isolate.Worker] = []
        self._setup: isolate.Setup | None = None

    @property
    def has_room(self) -> bool:
        return len(self._busy) < self._count

    def start(self, ready: Ready) -> None:
        if self._setup is None:
            self._setup = isolate.Setup.of(self.context)
        worker = self._idle.pop() if self._idle else isolate.Worker(self._setup)
        worker.give(ready.task.id, ready.index)
        self._busy[worker.sentinel] = (worker, ready)

    def hear(self) -> Iterator[Heard]:
        wait([item for worker, _ in self._busy.values() for item in (worker.pipe, worker.sentinel)], POLL_SECONDS)
        for sentinel, (worker, ready) in list(self._busy.items()):
            outcome: Outcome | None = None
            for kind, body in worker.messages():
                if kind == "line":
                    yield "line", ready, body
                else:
                    outcome = body
            if outcome is None and not worker.is_over:
                continue
            del self._busy[sentinel]
            if outcome is not None:
                self._idle.append(worker)
            else:
                outcome = lost(ready, isolate.cause_of_exit(worker.join()))
            if outcome is None:
                self.start(ready)
            else:
                yield "ended", ready, outcome

    def cancel(self) -> Iterator[Ready]:
        for worker, _ in self._busy.values():
            worker.ask_to_end()
        while self._busy:
            _, (worker, ready) = self._busy.popitem()
            worker.terminate()
            yield ready

    def close(self) -> None:
        for worker in self._idle:
            worker.close()


def lost(ready: Ready, cause: Cause, spare: int = 0) -> Outcome | None:
    """How a task ended whose process is gone without a word; None when another one may try.

    Args:
        ready: the task.
        cause: why it is gone.
        spare: tries beyond those that the task's own retries allow.
    """
    result = ready.record.result()
    if result is not None:
        return Outcome(result.state, result)
    attempts = ready.record.attempts()
    retry = ready.task.settings.retry
    own = 1 if retry is None else retry.max_attempts
    again = bool(attempts) and len(attempts) < own + spare
    if attempts:
        # What the platform makes good for is no attempt of the user's: the next process would find them spent.
        state = "lost" if again and len(attempts) >= own else "failed"
        ready.record.finish(attempts[-1], {"state": state, "cause": cause.to_json()})
    return None if again else Outcome("failed", cause=cause, attempts=len(attempts))
