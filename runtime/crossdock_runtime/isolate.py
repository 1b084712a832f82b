"""A task in a process of its own: for a time limit, for isolation, for parallel branches."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

from crossdock.dsl.frozen import frozen
from crossdock_runtime import redaction
from crossdock_runtime.attempt import run_attempt
from crossdock_runtime.context import Outcome, Ready, RunContext
from crossdock_runtime.contract import Plan, Task
from crossdock_runtime.execute import run_task
from crossdock_runtime.failure import Cancelled, Cause, cause_of
from crossdock_runtime.loading import Project
from crossdock_runtime.prepare import prepare
from crossdock_runtime.record import Index, Result, RunRecord, now
from crossdock_runtime.store import Store

GRACE_SECONDS = 5.0
"""From SIGTERM to SIGKILL."""
_LONGEST_WAIT = 3600.0
_START_SECONDS = 60.0
"""A process may take so long to start before the attempt's own time begins."""


@frozen
class Setup:
    """What a worker process knows of the run."""

    store: Store
    plan: str
    run: str
    parameters: dict[str, Any]
    project: Project | None
    resume_from: str | None
    cache: bool
    remember: bool
    native_id: str | None
    apart: frozenset[str]
    environment: dict[str, str]
    hidden: frozenset[str]

    @classmethod
    def of(cls, context: RunContext) -> Setup:
        """What a context has that can leave the process."""
        return cls(
            context.store,
            context.plan.to_json(),
            context.run.id,
            dict(context.parameters),
            context.project,
            context.resume_from.id if context.resume_from else None,
            context.cache,
            context.remember,
            context.native_id,
            context.apart,
            dict(os.environ),
            redaction.always_hidden(),
        )

    def context(self, listen: Callable[[str, Index, str], None]) -> RunContext:
        """The context, in the worker."""
        return RunContext(
            store=self.store,
            plan=Plan.from_json(self.plan),
            run=RunRecord(self.store, self.run),
            parameters=self.parameters,
            project=self.project,
            resume_from=RunRecord(self.store, self.resume_from) if self.resume_from else None,
            cache=self.cache,
            native_id=self.native_id,
            listen=listen,
            own_process=True,
            remember=self.remember,
            apart=self.apart,
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
    if sys.platform == "win32":
        return
    from multiprocessing import forkserver

    folders = [str(folder) for folder in project.folders] if project else []
    _method().set_forkserver_preload(["crossdock_runtime.isolate", "crossdock_runtime.preload"])
    os.environ["CROSSDOCK_PRELOAD"] = "\n".join([*folders, "", *modules])
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["CROSSDOCK_PRELOAD"]


class Worker:
    """A process that runs tasks, one after the other."""

    def __init__(self, setup: Setup) -> None:
        method = _method()
        self.pipe, theirs = method.Pipe()
        self._silent = False
        self._process = method.Process(target=_work, args=(setup, theirs), daemon=False)  # type: ignore[attr-defined]
        with _hidden_main('"__main__:' in setup.plan):
            self._process.start()
        theirs.close()

    def give(self, task: str, index: Index, attempt: int = 0) -> None:
        """Let it run a task with its retries, or only one attempt of it."""
        with contextlib.suppress(OSError):  # it died, which `is_over` tells
            self.pipe.send((task, index, attempt))

    @property
    def sentinel(self) -> int:
        """Becomes ready when the process has ended."""
        return int(self._process.sentinel)

    def messages(self) -> Iterator[tuple[str, Any]]:
        """What it said since: ("line", text), and ("done", Outcome) when a task has ended."""
        try:
            while not self._silent and self.pipe.poll():
                yield self.pipe.recv()
        except (EOFError, OSError):
            self._silent = True

    @property
    def is_over(self) -> bool:
        """Whether it will say no more: it closed its end, or died."""
        return self._silent or (bool(wait([self.sentinel], 0)) and not self.pipe.poll())

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

    def close(self) -> None:
        """Let it end: there is nothing more to do."""
        self.pipe.close()
        self._process.join()

    def join(self) -> int:
        """Wait until it has ended; its exit code, negative for a signal."""
        self._process.join()
        return int(self._process.exitcode or 0)


_OOM_COUNTERS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
"""Of this container's cgroup, version 2 and 1. Source: https://docs.kernel.org/admin-guide/cgroup-v2.html#memory"""


def oom_kills() -> int:
    """How many processes of this container were killed for want of memory; 0 where that cannot be told."""
    for name in _OOM_COUNTERS:
        with contextlib.suppress(OSError, ValueError), open(name, encoding="ascii") as file:  # noqa: PTH123
            for line in file:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0


def cause_of_exit(code: int, *, out_of_memory: bool = False) -> Cause:
    """Why a child ended without saying so."""
    if out_of_memory:
        return Cause("out of memory", "the step used more memory than it has", hint="raise Resources(memory=…)")
    if code == -signal.SIGKILL:
        return Cause("killed", "the process was killed (SIGKILL), as it is when memory runs out")
    if code < 0:
        return Cause("killed", f"the process ended by {signal.Signals(-code).name}")
    return Cause("killed", f"the process ended with exit code {code}")


def _work(setup: Setup, pipe: Connection[Any, Any]) -> None:
    # The server that forks workers has the environment of its own start, which in a notebook is long ago.
    os.environ.clear()
    os.environ.update({**setup.environment, "CROSSDOCK_CHILD": "1"})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _terminated)
    sys.breakpointhook = _no_terminal
    redaction.hide_as_well(setup.hidden)
    lock = threading.Lock()

    def begun() -> None:
        with lock:
            pipe.send(("begun", None))

    def listen(task: str, index: Index, text: str) -> None:
        with lock, contextlib.suppress(OSError):
            pipe.send(("line", text))

    try:
        context = setup.context(listen)
        while True:
            task, index, attempt = pipe.recv()
            try:
                outcome = _outcome(context, context.plan.by_id[task], index, attempt, begun)
            except Exception as error:
                outcome = Outcome("failed", cause=cause_of(error))
            pipe.send(("done", outcome))
    except (EOFError, OSError, Cancelled):
        pass
    finally:
        pipe.close()


def _outcome(context: RunContext, task: Task, index: Index, number: int, begun: Callable[[], None]) -> Outcome:
    if not number:
        return run_task(context, task, index)
    context.isolated = True
    ready = prepare(context, task, index)
    if isinstance(ready, Outcome):
        return ready
    begun()
    result, cause = run_attempt(context, ready, number)
    return Outcome(result.state if result else "failed", result, cause, attempts=number)


def _no_terminal(*_: object, **__: object) -> None:
    code, line = sys._getframe(1).f_code, sys._getframe(1).f_lineno
    print(f"breakpoint() in {code.co_filename}:{line} is passed over: a worker has no terminal (--max-workers 1 has)")


def _terminated(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: a second one would cut off what the first recorded
    raise Cancelled("terminated")


def attempt(context: RunContext, ready: Ready, number: int) -> tuple[Result | None, Cause | None]:
    """One attempt in a child process, ended when its time is over."""
    task, started, killed = ready.task, now(), oom_kills()
    limit = math.inf if task.settings.timeout is None else float(task.settings.timeout)  # type: ignore[arg-type]
    worker = Worker(Setup.of(context))
    worker.give(task.id, ready.index, number)
    outcome: Outcome | None = None
    deadline = time.monotonic() + limit + _START_SECONDS
    try:
        while outcome is None and not worker.is_over:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            wait([worker.pipe, worker.sentinel], min(left, _LONGEST_WAIT))
            for kind, body in worker.messages():
                if kind == "done":
                    outcome = body
                elif kind == "begun":
                    deadline = time.monotonic() + limit
                elif context.listen is not None:
                    context.listen(task.id, ready.index, body)
    except BaseException:
        worker.terminate()
        raise
    if outcome is not None:
        worker.close()
        return outcome.result, outcome.cause
    if time.monotonic() >= deadline:
        cause = Cause("timeout", f"the attempt took longer than {limit:g} seconds", hint="raise timeout=")
        # Said before the child, told to end, says that it was terminated: the first word stays.
        ready.record.finish(number, {"state": "failed", "started": started, "cause": cause.to_json()})
        worker.terminate()
        result = ready.record.result()
        return result, None if result is not None else cause
    code = worker.join()
    cause = cause_of_exit(code, out_of_memory=code == -signal.SIGKILL and oom_kills() > killed)
    ready.record.finish(number, {"state": "failed", "started": started, "cause": cause.to_json()})
    return None, cause
