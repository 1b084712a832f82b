"""Runs that a platform has: what became of them there, which the record is told where nothing of ours could say it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from crossdock.dsl.errors import PlatformError

if TYPE_CHECKING:
    from crossdock.stacks import CanRun, NativeRun, NativeTask, RunHandle, Stack
    from crossdock_runtime.driver import Event
    from crossdock_runtime.record import TaskRecord
    from crossdock_runtime.state import RunState, TaskState
    from crossdock_runtime.store import Store

_PAUSES = (2.0, 15.0)
_PATIENCE = 300.0
"""Seconds for which a platform may not answer while a run is followed."""
_OPEN = ("pending", "running", "lost")


def native_of(stack: Stack, store: Store, run: str) -> tuple[CanRun, RunHandle] | None:
    """The orchestrator of a run, and how it finds the native run; None where this stack's did not start it."""
    from crossdock.stacks import CanRun, RunHandle
    from crossdock_runtime.record import RunRecord

    body = RunRecord(store, run).handle()
    orchestrator = stack.orchestrator
    if body is None or body.get("flavor") != orchestrator.flavor or not isinstance(orchestrator, CanRun):
        return None
    return orchestrator, RunHandle(body["flavor"], body["native_id"], body.get("details", {}))


def reconcile(stack: Stack, store: Store, run: str) -> NativeRun | None:
    """Ask the platform how a run stands; once it has ended there, what the record lacks is written.

    Returns:
        None where there is nobody to ask, or nothing is open any more.

    Raises:
        PlatformError: the platform cannot be reached, or refuses.
    """
    from crossdock_runtime.record import RunRecord
    from crossdock_runtime.state import read_state

    found = native_of(stack, store, run)
    record = RunRecord(store, run)
    if found is None or record.ended() is not None:
        return None
    orchestrator, handle = found
    native = orchestrator.status(handle, stack)
    if native.status == "running":
        return native
    for task in read_state(store, run).tasks:
        if task.state in _OPEN:
            _close(record.task(task.task, task.index), task, native.tasks.get(task.name), native)
    state = read_state(store, run)
    done = sum(task.result is not None for task in state.tasks)
    status = native.status if native.status != "succeeded" or done == len(state.tasks) else "failed"
    stop = record.stopped()
    if status == "failed" and stop is not None and stop["reason"] == "cancelled":
        status = "cancelled"  # a platform may call what was ended a failure
    record.end(status, done, len(state.tasks))
    return native


def _close(record: TaskRecord, task: TaskState, known: NativeTask | None, native: NativeRun) -> None:
    """Say how a task ended that did not say so itself, as far as the platform knows."""
    from crossdock_runtime.failure import KINDS, Cause

    attempts = record.attempts()
    state = known.state if known is not None else ""
    if state not in ("failed", "cancelled") and not attempts:
        return  # it never began: what it waits for says why
    cancelled = state == "cancelled" or native.status == "cancelled"
    kind = known.kind if known is not None and known.kind in KINDS else "cancelled" if cancelled else "killed"
    said = (known.message if known is not None else "") or native.message
    cause = Cause(kind, said or f"the platform says no more than that the run {native.status}")
    number = attempts[-1] if attempts else record.start(1)
    record.finish(number, {"state": "cancelled" if cancelled else "failed", "cause": cause.to_json()})


def follow(stack: Stack, store: Store, run: str, on_event: Callable[[Event], None] | None) -> str:
    """Wait until a run has ended on its platform, and tell what becomes of its tasks; returns its status.

    Raises:
        PlatformError: the platform does not answer for too long.
    """
    from crossdock_runtime.state import read_state

    told: dict[str, str] = {}
    pause, silent = _PAUSES[0], 0.0
    while True:
        try:
            native = reconcile(stack, store, run)
            silent = 0.0
        except PlatformError:
            silent += pause
            if silent > _PATIENCE:
                raise
            native = None
        state = read_state(store, run)
        is_open = silent > 0 or (native is not None and native.status == "running")
        if on_event is not None:
            _tell(state, told, on_event, final=not is_open)
        if not is_open:
            return state.status
        time.sleep(pause)
        pause = min(pause * 1.5, _PAUSES[1])


def _tell(state: RunState, told: dict[str, str], on_event: Callable[[Event], None], *, final: bool) -> None:
    from crossdock_runtime.context import Outcome
    from crossdock_runtime.driver import Event

    for task in state.tasks:
        before = told.get(task.name)
        if before == task.state or task.state == "pending" or (task.state == "lost" and not final):
            continue
        told[task.name] = task.state
        if before is None:
            on_event(Event("started", task.task, task.index))
        if task.state != "running":
            outcome = Outcome(task.state, task.result, task.cause, task.seconds or 0.0, task.attempts)
            on_event(Event("ended", task.task, task.index, outcome=outcome))


def follow_logs(stack: Stack, store: Store, run: str, task: str | None) -> Iterator[tuple[str, int, str]]:
    """Task, attempt and text of what tasks print, as it comes, until the run has ended.

    Args:
        stack: its orchestrator is asked whether the run goes on, where it started it.
        store: has the logs.
        run: the run.
        task: only that one, or that item.
    """
    from crossdock_runtime.record import RunRecord
    from crossdock_runtime.state import read_state

    record, shown = RunRecord(store, run), dict[tuple[str, int], int]()
    pause = _PAUSES[0]
    while True:
        with contextlib.suppress(PlatformError):  # the logs are in the store
            reconcile(stack, store, run)
        state = read_state(store, run)
        for item in state.tasks:
            if task is not None and task not in (item.name, item.task):
                continue
            facts = record.task(item.task, item.index)
            for attempt in facts.attempts() if item.attempts else ():
                before = shown.get((item.name, attempt), 0)
                chunks = list(facts.log_chunks(attempt, before))
                shown[item.name, attempt] = before + len(chunks)
                if chunks:
                    yield item.name, attempt, b"".join(chunks).decode("utf-8", "replace")
        if state.status != "running":
            return
        time.sleep(pause)
        pause = min(pause * 1.2, _PAUSES[1])
