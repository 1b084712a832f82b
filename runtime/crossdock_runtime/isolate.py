"""A task in a process of its own: for a time limit, for isolation, for parallel branches."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Any

from crossdock.dsl.frozen import frozen
from crossdock_runtime.contract import Plan
from crossdock_runtime.execute import Outcome, Ready, RunContext, _attempt, prepare, run_task
from crossdock_runtime.failure import Cancelled, Cause
from crossdock_runtime.loading import Project
from crossdock_runtime.record import Index, Result, RunRecord, now
from crossdock_runtime.store import Store

GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL."""
_LONGEST_WAIT = 3600.0


@frozen
class Job:
    """What a child process needs to know; `attempt` is 0 for the whole task with its retries."""

    store: Store
    plan: str
    run: str
    parameters: dict[str, Any]
    project: Project | None
    resume_from: str | None
    cache: bool
    remember: bool
    native_id: str | None
    task: str
    index: Index
    attempt: int = 0


def job_of(context: RunContext, task: str, index: Index, attempt: int = 0) -> Job:
    """The job that runs a task of this run in a child process."""
    return Job(
        context.store,
        context.plan.to_json(),
        context.run.id,
        dict(context.parameters),
        context.project,
        context.resume_from.id if context.resume_from else None,
        context.cache,
        context.remember,
        context.native_id,
        task,
        index,
        attempt,
    )


def _method() -> multiprocessing.context.BaseContext:
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    return multiprocessing.get_context("forkserver")


@contextlib.contextmanager
def _hidden_main(plan_uses_main: bool) -> Iterator[None]:
    """Keep children from importing the user's script again, unless its steps live there."""
    main = sys.modules["__main__"]
    if not plan_uses_main:
        sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def preload(modules: tuple[str, ...], project: Project | None) -> None:
    """Let children start with these modules loaded."""
    method = _method()
    if sys.platform != "win32":
        os.environ["CROSSDOCK_PRELOAD"] = "\n".join(
            [*(str(folder) for folder in project.folders), "", *modules] if project else ["", *modules]
        )
        method.set_forkserver_preload(["crossdock_runtime.isolate", "crossdock_runtime.preload"])


class Child:
    """A task that runs in a process of its own."""

    def __init__(self, job: Job) -> None:
        method = _method()
        reader, writer = method.Pipe(duplex=False)
        self.job = job
        self.reader: Connection[Any, Any] = reader
        self.started = time.monotonic()
        self._silent = False
        self._process = method.Process(target=_main, args=(job, writer), daemon=False)  # type: ignore[attr-defined]
        with _hidden_main('"__main__:' in job.plan):
            self._process.start()
        writer.close()

    @property
    def sentinel(self) -> int:
        """Becomes ready when the process has ended."""
        return int(self._process.sentinel)

    def messages(self) -> Iterator[tuple[str, Any]]:
        """What it said since: ("line", text) and at the end ("done", Outcome)."""
        try:
            while not self._silent and self.reader.poll():
                yield self.reader.recv()
        except (EOFError, OSError):
            self._silent = True

    @property
    def is_over(self) -> bool:
        """Whether it will say no more: it closed its end, or died."""
        return self._silent or (bool(wait([self.sentinel], 0)) and not self.reader.poll())

    def ask_to_end(self) -> None:
        """Send SIGTERM."""
        if self._process.is_alive():
            self._process.terminate()

    def terminate(self) -> None:
        """Ask it to end, then make it."""
        self.ask_to_end()
        self._process.join(GRACE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def join(self) -> int:
        """Wait until it has ended; its exit code, negative for a signal."""
        self._process.join()
        return int(self._process.exitcode or 0)


def cause_of_exit(code: int) -> Cause:
    """Why a child ended without saying so."""
    if code == -signal.SIGKILL:
        return Cause("killed", "the process was killed (SIGKILL), as it is when memory runs out")
    if code < 0:
        return Cause("killed", f"the process ended by {signal.Signals(-code).name}")
    return Cause("killed", f"the process ended with exit code {code}")


def _main(job: Job, out: Connection[Any, Any]) -> None:
    os.environ.setdefault("CROSSDOCK_CHILD", "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _terminated)

    def listen(task: str, index: Index, text: str) -> None:
        with contextlib.suppress(OSError):
            out.send(("line", text))

    plan = Plan.from_json(job.plan)
    resume = RunRecord(job.store, job.resume_from) if job.resume_from else None
    context = RunContext(
        job.store, plan, RunRecord(job.store, job.run), job.parameters, job.project, resume, job.cache,
        job.native_id, listen, None, job.attempt > 0, job.remember,
    )  # fmt: skip
    task = plan.by_id[job.task]
    try:
        if job.attempt:
            ready = prepare(context, task, job.index)
            if isinstance(ready, Ready):
                result, cause = _attempt(context, ready, job.attempt)
                state = result.state if result else "failed"
                out.send(("done", Outcome(state, result, cause, attempts=job.attempt)))
            else:
                out.send(("done", ready))
        else:
            out.send(("done", run_task(context, task, job.index)))
    except Cancelled:
        out.send(("done", Outcome("cancelled", cause=Cause("cancelled", "told to end"))))
    finally:
        out.close()


def _terminated(*_: object) -> None:
    raise Cancelled("terminated")


def attempt(context: RunContext, ready: Ready, number: int) -> tuple[Result | None, Cause | None]:
    """One attempt in a child process, ended when its time is over."""
    task, started = ready.task, now()
    limit = math.inf if task.settings.timeout is None else float(task.settings.timeout)  # type: ignore[arg-type]
    child = Child(job_of(replace_listen(context), task.id, ready.index, number))
    outcome: Outcome | None = None
    deadline = child.started + limit
    try:
        while outcome is None:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            wait([child.reader, child.sentinel], min(left, _LONGEST_WAIT))
            for kind, body in child.messages():
                if kind == "done":
                    outcome = body
                elif context.listen is not None:
                    context.listen(task.id, ready.index, body)
            if outcome is None and child.is_over:
                break
    except BaseException:
        child.terminate()
        raise
    if outcome is None and time.monotonic() >= deadline:
        child.terminate()
        result = ready.record.result()
        if result is not None:
            return result, None
        cause = Cause("timeout", f"the attempt took longer than {limit:g} seconds", hint="raise timeout=")
    elif outcome is None:
        cause = cause_of_exit(child.join())
    else:
        child.join()
        return outcome.result, outcome.cause
    ready.record.finish(number, {"state": "failed", "started": started, "cause": cause.to_json()})
    return None, cause


def replace_listen(context: RunContext) -> RunContext:
    """The context without what cannot leave the process."""
    return replace(context, listen=None, status=None)
