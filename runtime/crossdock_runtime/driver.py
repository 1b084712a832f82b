"""Run a whole plan: start every task when all that it waits for is done, wherever a launcher performs it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

from crossdock.dsl.frozen import frozen
from crossdock_runtime.blocked import Blocked
from crossdock_runtime.context import Outcome, RunContext
from crossdock_runtime.contract import Plan, Task
from crossdock_runtime.failure import Cancelled, Cause, cause_of
from crossdock_runtime.inputs import NotThere, Skip
from crossdock_runtime.launch import POLL_SECONDS, Here, Launcher
from crossdock_runtime.prepare import not_there, refuse
from crossdock_runtime.record import DONE, Index
from crossdock_runtime.schedule import Schedule

_CANCELLED = Outcome("cancelled", cause=Cause("cancelled", "the run was cancelled"))
_STOPPED = Outcome("cancelled", cause=Cause("cancelled", "the run was stopped"))


@frozen
class Event:
    """Something that happened: `kind` is `started`, `line` or `ended`."""

    kind: str
    task: str
    index: Index
    text: str = ""
    outcome: Outcome | None = None


class Driver:
    """Schedules the tasks of one run.

    Args:
        context: the run.
        launcher: performs the tasks; None does it in this process.
        on_event: is told what happens.
    """

    def __init__(
        self, context: RunContext, launcher: Launcher | None = None, on_event: Callable[[Event], None] | None = None
    ) -> None:
        self.context = context
        self.plan: Plan = context.plan
        self.launcher = launcher or Here(context)
        self.tell = on_event or (lambda event: None)
        self.outcomes: dict[tuple[str, Index], Outcome] = {}
        self._beside = 0
        self._blocked = Blocked(self.plan)
        self._schedule = Schedule(self.plan, self._expand)
        self._cancelled = False
        context.listen = lambda task, index, text: self.tell(Event("line", task, index, text))

    def run(self) -> str:
        """Run everything; returns `succeeded`, `failed` or `cancelled`."""
        self.context.run.begin()
        try:
            with _Watcher(self.context):
                self._run_tasks()
                if self.plan.on_exit is not None:
                    self._start(self.plan.by_id[self.plan.on_exit], ())
                    self._run_tasks()
        except (KeyboardInterrupt, Cancelled):
            self._cancel()
        finally:
            self.launcher.close()
        failed = any(outcome.state not in DONE for outcome in self.outcomes.values())
        status = "cancelled" if self._cancelled else "failed" if failed else "succeeded"
        done = sum(outcome.state in DONE for outcome in self.outcomes.values())
        never = len(self.plan.by_id.keys() - {task for task, _ in self.outcomes})
        self.context.run.end(status, done, len(self.outcomes) + never)
        return status

    def _cancel(self) -> None:
        self._cancelled = True
        self.context.run.cancel()
        for ready in self.launcher.cancel():
            self._ended(ready.task, ready.index, _CANCELLED)

    def _run_tasks(self) -> None:
        while True:
            unit = self._schedule.next() if self.launcher.has_room else None
            if unit is not None:
                self._start(*unit)
            elif self._beside:
                self._hear()
            else:
                return

    def _expand(self, task: Task, index: Index) -> int | None:
        """How many items a task's next map has; what cannot be told ends the task as a whole."""
        scope = self.plan.maps_of(task.scope)[len(index)]
        resolver = self.context.resolver()
        try:
            return len(resolver.items(scope, index))
        except Skip as skip:
            self._note(task, index, Outcome("skipped", resolver.skipped(task, index, str(skip))))
        except NotThere as missing:
            self._note(task, index, not_there(missing))
        except Exception as error:
            self._note(task, index, refuse(self.context, task, index, error))
        return None

    def _start(self, task: Task, index: Index) -> None:
        try:
            ready = self.launcher.prepare(task, index)
        except Exception as error:
            ready = refuse(self.context, task, index, error)
        if isinstance(ready, Outcome):
            self._ended(task, index, ready)
            return
        self.tell(Event("started", task.id, index))
        try:
            outcome = self.launcher.start(ready)
        except (KeyboardInterrupt, Cancelled):
            self._ended(task, index, _CANCELLED)
            raise
        except Exception as error:
            outcome = Outcome("failed", cause=cause_of(error))
        if outcome is None:
            self._beside += 1
        else:
            self._ended(task, index, outcome)

    def _hear(self) -> None:
        for kind, ready, body in self.launcher.hear():
            if kind == "line":
                self.tell(Event("line", ready.task.id, ready.index, body))
            else:
                self._beside -= 1
                self._ended(ready.task, ready.index, body)

    def _ended(self, task: Task, index: Index, outcome: Outcome) -> None:
        if outcome.result is not None:
            self.context.resolver().note(task.id, index, outcome.result)
        self._note(task, index, outcome)
        if task.id != self.plan.on_exit:
            self._schedule.done(task, index)

    def _note(self, task: Task, index: Index, outcome: Outcome) -> None:
        """Take note of how a task, or a map of it as a whole, ended."""
        if outcome.state == "upstream_failed" and not self._blocked.blocks(task, index):
            outcome = _STOPPED  # what it waits for was stopped itself
        self._blocked.add(task.id, index, outcome.state)
        self.outcomes[task.id, index] = outcome
        self.tell(Event("ended", task.id, index, outcome=outcome))
        if outcome.state == "failed" and self.plan.on_failure == "stop":
            self.context.run.stop(task.id)


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
                _interrupt_main_thread()
                return


def _interrupt_main_thread() -> None:
    """Send the signal to that thread itself, which wakes it where it sleeps or waits."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    else:
        signal.raise_signal(signal.SIGTERM)


def _interrupt(*_: object) -> None:
    raise Cancelled("cancelled")
