"""Run a whole plan: start every task when all that it waits for is done, in this process or in children."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any

from crossdock.dsl.pipeline import RunStatus
from crossdock_runtime import isolate
from crossdock_runtime.contract import Plan, Task
from crossdock_runtime.execute import Outcome, Ready, RunContext, indices, perform, prepare
from crossdock_runtime.failure import Cancelled, Cause, cause_of
from crossdock_runtime.inputs import NotThere, Skip
from crossdock_runtime.record import DONE, Index

POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `kind` is `started`, `line` or `ended`."""

    kind: str
    task: str
    index: Index
    text: str = ""
    outcome: Outcome | None = None


@dataclass(slots=True)
class _Node:
    """A task, and its items where it stands in a map."""

    task: Task
    waiting: int
    open: int = 0
    states: dict[Index, str] = field(default_factory=dict)


class Driver:
    """Schedules the tasks of one run.

    Args:
        context: the run.
        max_workers: tasks at once; with one, tasks run in this process.
        on_event: is told what happens.
    """

    def __init__(
        self, context: RunContext, max_workers: int = 1, on_event: Callable[[Event], None] | None = None
    ) -> None:
        self.context = context
        self.plan: Plan = context.plan
        self.max_workers = max_workers
        self.tell = on_event or (lambda event: None)
        self.outcomes: dict[tuple[str, Index], Outcome] = {}
        self._children: dict[int, tuple[isolate.Child, Ready]] = {}
        self._queue: list[tuple[Task, Index]] = []
        self._stopping = False
        self._cancelled = False
        context.listen = lambda task, index, text: self.tell(Event("line", task, index, text))

    def run(self) -> str:
        """Run everything; returns `succeeded`, `failed` or `cancelled`."""
        watcher = _Watcher(self.context)
        try:
            with watcher:
                self._run_tasks()
        except (KeyboardInterrupt, Cancelled):
            self._cancel()
        if not self._cancelled and self.plan.on_exit is not None:
            self._run_exit()
        status = "cancelled" if self._cancelled else "failed" if self._failed() else "succeeded"
        self.context.run.end(status)
        return status

    def _failed(self) -> bool:
        return any(outcome.state not in DONE for outcome in self.outcomes.values())

    def _cancel(self) -> None:
        self._cancelled = True
        self.context.run.stop("cancelled")
        for child, ready in list(self._children.values()):
            child.terminate()
            self._ended(
                ready.task,
                ready.index,
                Outcome("cancelled", cause=Cause("cancelled", "the run was cancelled")),
            )
        self._children.clear()

    # Scheduling

    def _run_tasks(self) -> None:
        tasks = [task for task in self.plan.tasks if task.id != self.plan.on_exit]
        upstream = {task.id: self.plan.upstream(task) for task in tasks}
        self._nodes = {task.id: _Node(task, len(upstream[task.id])) for task in tasks}
        self._downstream: dict[str, list[str]] = {}
        for name, sources in upstream.items():
            for source in sources:
                self._downstream.setdefault(source, []).append(name)
        self._queue = []
        ready = [task for task in tasks if not upstream[task.id]]
        for task in reversed(ready):
            self._open(task)
        while self._queue or self._children:
            while self._queue and self._room():
                task, index = self._next()
                self._start(task, index)
            if self._children:
                self._collect()

    def _next(self) -> tuple[Task, Index]:
        return self._queue.pop()

    def _room(self) -> bool:
        return self.max_workers == 1 or len(self._children) < self.max_workers

    def _open(self, task: Task) -> None:
        """All that a task waits for is terminal: queue its items."""
        try:
            found = indices(self.context, task.id)
        except Skip:
            found = []
        except NotThere as missing:
            found = []
            outcome = Outcome("upstream_failed", cause=Cause("upstream failed", f"task {missing.task!r} has no result"))
            self.outcomes[task.id, ()] = outcome
            self.tell(Event("ended", task.id, (), outcome=outcome))
        node = self._nodes[task.id]
        node.open = len(found)
        if not found:
            self._close(task.id)
            return
        self._queue.extend((task, index) for index in reversed(found))

    def _close(self, name: str) -> None:
        for other in reversed(self._downstream.get(name, ())):
            node = self._nodes[other]
            node.waiting -= 1
            if not node.waiting:
                self._open(node.task)

    def _start(self, task: Task, index: Index) -> None:
        try:
            ready = prepare(self.context, task, index)
        except Exception as error:
            ready = Outcome("failed", cause=cause_of(error))
        if isinstance(ready, Outcome):
            self._ended(task, index, ready)
            return
        self.tell(Event("started", task.id, index))
        if self.max_workers == 1:
            self._ended(task, index, self._perform(ready))
        else:
            child = isolate.Child(isolate.job_of(self.context, task.id, index))
            self._children[child.sentinel] = (child, ready)

    def _perform(self, ready: Ready) -> Outcome:
        try:
            return perform(self.context, ready)
        except (KeyboardInterrupt, Cancelled):
            self._ended(ready.task, ready.index, Outcome("cancelled", cause=Cause("cancelled", "interrupted")))
            raise
        except Exception as error:
            return Outcome("failed", cause=cause_of(error))

    def _collect(self) -> None:
        """Hear what the children say, and take note of those that ended."""
        wait(
            [item for child, _ in self._children.values() for item in (child.reader, child.sentinel)],
            POLL_SECONDS,
        )
        for sentinel, (child, ready) in list(self._children.items()):
            outcome: Outcome | None = None
            for kind, body in child.messages():
                if kind == "line":
                    self.tell(Event("line", ready.task.id, ready.index, body))
                else:
                    outcome = body
            if outcome is None and wait([sentinel], 0) and not child.reader.poll():
                outcome = self._lost(child, ready)
            if outcome is not None:
                child.join()
                del self._children[sentinel]
                self._ended(ready.task, ready.index, outcome)

    def _lost(self, child: isolate.Child, ready: Ready) -> Outcome:
        cause = isolate.cause_of_exit(child.join())
        result = ready.record.result()
        if result is not None:
            return Outcome(result.state, result)
        attempts = ready.record.attempts()
        if attempts:
            ready.record.finish(attempts[-1], {"state": "failed", "cause": cause.to_json()})
        return Outcome("failed", cause=cause, attempts=len(attempts))

    def _ended(self, task: Task, index: Index, outcome: Outcome) -> None:
        self.outcomes[task.id, index] = outcome
        self.tell(Event("ended", task.id, index, outcome=outcome))
        if outcome.state == "failed" and self.plan.on_failure == "stop" and not self._stopping:
            self._stopping = True
            self.context.run.stop("failed", task.id)
        if task.id == self.plan.on_exit or self._cancelled:
            return
        node = self._nodes[task.id]
        node.open -= 1
        if not node.open:
            self._close(task.id)

    # The end

    def _run_exit(self) -> None:
        task = self.plan.by_id[str(self.plan.on_exit)]
        self.context.status = self.status
        try:
            ready = prepare(self.context, task)
            if isinstance(ready, Outcome):
                self._ended(task, (), ready)
                return
            self.tell(Event("started", task.id, ()))
            self._ended(task, (), perform(self.context, ready))
        except (KeyboardInterrupt, Cancelled):
            self._cancelled = True
        except Exception as error:
            self._ended(task, (), Outcome("failed", cause=cause_of(error)))

    def status(self) -> RunStatus:
        """How the run went so far, for its exit task."""
        failed: dict[str, str] = {}
        for (name, _), outcome in self.outcomes.items():
            if outcome.state == "failed" and name not in failed:
                failed[name] = outcome.cause.message if outcome.cause else "unknown"
        order = [task.id for task in self.plan.tasks if task.id in failed]
        status = "failed" if self._failed() else "succeeded"
        return RunStatus(self.context.run.id, self.plan.name, status, order, [failed[name] for name in order])


class _Watcher:
    """Looks for `stop.json` written by somebody else, and interrupts the main thread when the run is cancelled."""

    def __init__(self, context: RunContext) -> None:
        self._run = context.run
        self._done = threading.Event()
        self._previous: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._previous = signal.signal(signal.SIGTERM, _interrupt)
        threading.Thread(target=self._watch, name="crossdock-cancel", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._previous is not None:
            signal.signal(signal.SIGTERM, self._previous)

    def _watch(self) -> None:
        while not self._done.wait(POLL_SECONDS):
            try:
                stop = self._run.stopped()
            except Exception:  # the store is asked again in a second
                continue
            if stop is not None and stop["reason"] == "cancelled" and not self._done.is_set():
                signal.raise_signal(signal.SIGTERM)
                return


def _interrupt(*_: object) -> None:
    raise Cancelled("cancelled")
