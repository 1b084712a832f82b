"""A task from start to end: prepared, then tried until it succeeds or its attempts are spent."""

from __future__ import annotations

import time

from crossdock.dsl.errors import StoreError
from crossdock.dsl.settings import Retry
from crossdock_runtime.attempt import run_attempt
from crossdock_runtime.context import Outcome, Ready, RunContext
from crossdock_runtime.contract import Task
from crossdock_runtime.failure import Cause
from crossdock_runtime.prepare import prepare, refuse
from crossdock_runtime.record import Index

SPARE_ATTEMPTS = 3
"""Attempts beyond the user's own count, for those that ended with the machine."""


def perform(context: RunContext, ready: Ready) -> Outcome:
    """Run a task until it succeeds or its attempts are spent.

    Raises:
        Cancelled, KeyboardInterrupt: told to end; the attempt is recorded before.
        StoreError: the store cannot be used.
    """
    task, record = ready.task, ready.record
    retry = task.settings.retry or Retry(max_attempts=1)
    started = time.monotonic()
    earlier = record.attempts()
    failures = [fact for number in earlier if (fact := record.fact(number, "finished")) and "cause" in fact]
    spent = sum(1 for fact in failures if fact["state"] == "failed")
    total = retry.max_attempts + SPARE_ATTEMPTS
    if earlier and (spent >= retry.max_attempts or len(earlier) >= total):
        last = Cause.from_json(failures[-1]["cause"]) if failures else Cause("killed", "every attempt was lost")
        return Outcome("failed", cause=last, attempts=len(earlier))
    number = (earlier[-1] if earlier else 0) + 1
    while True:
        number = record.start(number, context.native_id)
        result, cause = run_attempt(context, ready, number)
        seconds = time.monotonic() - started
        if result is not None:
            return Outcome(result.state, result, None, seconds, number)
        assert cause is not None
        spent += 1
        if spent >= retry.max_attempts or not _worth_another(retry, cause):
            return Outcome("failed", None, cause, seconds, number)
        if context.listen is not None:
            context.listen(task.id, ready.index, f"attempt {number} failed: {cause.message}; trying again")
        wait = retry.wait_before(spent + 1)
        record.wait(number, wait)
        time.sleep(wait)
        number += 1


def _worth_another(retry: Retry, cause: Cause) -> bool:
    if cause.kind not in ("user exception", "program failed", "timeout", "out of memory", "killed"):
        return False
    if not retry.on:
        return True
    names = {*cause.bases, *(base.rpartition(".")[2] for base in cause.bases), cause.kind}
    return any(name in names for name in retry.on)


def run_task(context: RunContext, task: Task, index: Index = ()) -> Outcome:
    """Prepare and, where that leaves something to do, perform a task.

    Raises:
        Cancelled, KeyboardInterrupt: told to end.
        StoreError: the store cannot be used.
    """
    try:
        ready = prepare(context, task, index)
    except StoreError:
        raise
    except Exception as error:
        return refuse(context, task, index, error)
    return ready if isinstance(ready, Outcome) else perform(context, ready)
