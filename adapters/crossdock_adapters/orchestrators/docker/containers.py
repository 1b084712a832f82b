"""Performs tasks in containers. A thread for each starts its container, reads its log, and says how it ended."""

from __future__ import annotations

import os
import queue
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crossdock.ir import Program, Task
from crossdock.stacks import Spec, Stack
from crossdock_adapters.orchestrators.docker import compose, exchange
from crossdock_adapters.orchestrators.docker.client import Engine, Exit, NotStarted
from crossdock_adapters.orchestrators.docker.config import DockerConfig
from crossdock_adapters.orchestrators.docker.translate import (
    HOME,
    RUN,
    SECRET,
    STORE,
    STORE_SECRET,
    USER,
    overrides_of,
)
from crossdock_runtime.context import Outcome, Ready, RunContext
from crossdock_runtime.execute import perform
from crossdock_runtime.failure import PERMANENT, Cancelled, Cause, TaskFailed
from crossdock_runtime.launch import POLL_SECONDS, Heard, Launcher, lost
from crossdock_runtime.prepare import admit, refuse
from crossdock_runtime.record import Index, host_name, is_alive
from crossdock_runtime.steps import resolve_secret

_SAID = re.compile(r"^\S+ \S+ \| (.*)$")
"""A line of a task's own, as the runtime prints it."""
_TAIL = 20
_CANCELLED = Outcome("cancelled", cause=Cause("cancelled", "the run was cancelled"))
_BUILD = "crossdock build SOURCE makes an image that holds it"


def is_dead(driver: str) -> bool:
    """Whether the process that a container's label names is one of this machine that has ended."""
    host, _, pid = driver.rpartition(":")
    return host == host_name() and pid.isdigit() and not is_alive(int(pid))


class Containers(Launcher):
    """Several tasks at once, each in a container.

    Args:
        context: the run.
        engine: what runs them.
        spec: what they are made of, byte for byte.
        stack: where artifacts and records go.
        config: of the orchestrator.
        count: containers at once.
    """

    def __init__(
        self, context: RunContext, engine: Engine, spec: Spec, stack: Stack, config: DockerConfig, count: int
    ) -> None:
        super().__init__(context)
        self._engine = engine
        self._services = compose.services(spec.main)
        self._stack = stack
        self._config = config
        self._count = count
        self._capacity = engine.capacity()
        self._heard: queue.Queue[Heard] = queue.Queue()
        self._busy: dict[tuple[str, Index], tuple[threading.Thread, Ready]] = {}
        self._running: set[str] = set()
        self._lock = threading.Lock()
        self._is_cancelled = False
        root = context.store.local_root
        self._variables = {
            RUN: context.run.id,
            STORE: "" if root is None else str(root.absolute()),
            HOME: "/tmp",
            USER: "0:0" if self._capacity.rootless else f"{os.getuid()}:{os.getgid()}" if hasattr(os, "getuid") else "",
        }
        if root is not None:
            root.mkdir(parents=True, exist_ok=True)  # else the engine makes it, as root

    def prepare(self, task: Task, index: Index) -> Outcome | Ready:
        """What is cached is found from here where nothing of this machine is in the key, else in the container."""
        try:
            if isinstance(task.code, Program) or task.settings.requirements is not None:
                return super().prepare(task, index)
            admitted = admit(self.context, task, index)
        except Exception:
            if isinstance(task.code, Program):
                raise
            admitted = {}  # a class or a path that this machine lacks: the container says what is wrong, if anything is
        if isinstance(admitted, Outcome):
            return admitted
        return Ready(task, index, self.context.run.task(task.id, index), {}, {}, "")

    @property
    def has_room(self) -> bool:
        return len(self._busy) < self._count

    def start(self, ready: Ready) -> None:
        thread = threading.Thread(target=self._thread, args=(ready,), name=f"crossdock-{ready.task.id}", daemon=True)
        self._busy[ready.task.id, ready.index] = (thread, ready)
        thread.start()

    def hear(self) -> Iterator[Heard]:
        try:
            heard = [self._heard.get(timeout=POLL_SECONDS)]
        except queue.Empty:
            return
        while not self._heard.empty():
            heard.append(self._heard.get())
        for kind, ready, body in heard:
            if kind == "ended":
                del self._busy[ready.task.id, ready.index]
            yield kind, ready, body

    def cancel(self) -> Iterator[Ready]:
        with self._lock:
            self._is_cancelled = True
            running = list(self._running)
        stopping = [threading.Thread(target=self._engine.stop, args=(item, self._config.grace)) for item in running]
        for thread in stopping:
            thread.start()
        for thread in (*stopping, *(thread for thread, _ in self._busy.values())):
            thread.join()
        for _, ready in self._busy.values():
            yield ready
        self._busy.clear()

    def _thread(self, ready: Ready) -> None:
        try:
            outcome = self._program(ready) if isinstance(ready.task.code, Program) else self._python(ready)
        except Cancelled:
            outcome = _CANCELLED
        except Exception as error:
            outcome = refuse(self.context, ready.task, ready.index, error)
        self._heard.put(("ended", ready, outcome))

    # Tasks whose container has the runtime

    def _python(self, ready: Ready) -> Outcome:
        started = time.monotonic()
        spare = overrides_of(ready.task).retries
        while True:
            try:
                exit_, tail = self._run(
                    ready.task, ready.index, self._environment(ready), lambda line: self._said(ready, line)
                )
            except NotStarted as error:
                if "executable file not found" not in error.message and "no such file" not in error.message:
                    raise
                image = self._services[ready.task.id]["image"]
                raise TaskFailed(
                    "import error", f"the image {image} has no 'python': {error.message}", _BUILD
                ) from None
            outcome = self._ended(ready, exit_, tail, self._config.retries if spare is None else spare)
            if outcome is not None:
                return replace(outcome, seconds=time.monotonic() - started)

    def _said(self, ready: Ready, line: str) -> None:
        match = _SAID.match(line)
        if match is not None:
            self._heard.put(("line", ready, match[1]))

    def _environment(self, ready: Ready) -> dict[str, str]:
        task = ready.task
        found = {
            f"{SECRET}{name}": resolve_secret(secret.source, secret.reference, name)
            for name, secret in task.settings.secrets.items()
            if secret.source in ("env", "keyring")
        }
        credentials = self._stack.artifact_store.credentials()
        found.update({f"{STORE_SECRET}{name.upper()}": value for name, value in credentials.items()})
        if ready.index:
            found.update({"CROSSDOCK_INDEX": ".".join(map(str, ready.index)), "CROSSDOCK_SHARD": ""})
        return found

    def _ended(self, ready: Ready, exit_: Exit, tail: list[str], spare: int) -> Outcome | None:
        """How a task ended; None when another container may try."""
        record = ready.record
        result, attempts = record.result(), record.attempts()
        if result is not None:
            return Outcome(result.state, result, attempts=len(attempts))
        if self._is_cancelled:
            raise Cancelled("cancelled")
        finished = record.fact(attempts[-1], "finished") if attempts else None
        if finished is not None and "cause" in finished:
            cause = Cause.from_json(finished["cause"])
            if cause.kind not in ("store", "killed", "out of memory", "terminated"):
                return Outcome(finished["state"], cause=cause, attempts=len(attempts))
            return lost(ready, cause, spare)
        if not attempts and exit_.code == PERMANENT and self.context.run.stopped() is not None:
            return Outcome("cancelled", cause=Cause("cancelled", "the run was stopped"))
        cause = self._why(ready.task, exit_, tail)
        if not attempts:
            record.start(1)
        return lost(ready, cause, spare)

    def _why(self, task: Task, exit_: Exit, tail: list[str]) -> Cause:
        """Why a container ended that did not say so itself."""
        if exit_.out_of_memory:
            return self._out_of_memory(task)
        image = self._services[task.id]["image"]
        said = tail[-1] if tail else ""
        if exit_.code == 127:  # what the engine's init says that finds no program
            return Cause("import error", f"the image {image} has no 'python': {said}", hint=_BUILD)
        if "No module named" in said and "crossdock" in said:
            return Cause("import error", f"the image {image} holds no Crossdock runtime", hint=_BUILD)
        if said.startswith("crossdock: "):
            kind = {20: "bad input", 30: "store"}.get(exit_.code, "killed")
            return Cause(kind, said.removeprefix("crossdock: "))
        if exit_.code == 137:
            return Cause("killed", "the container was killed (SIGKILL)")
        ending = f": {said}" if said else ""
        return Cause("killed", f"the container ended with exit code {exit_.code} and no word of its task{ending}")

    def _out_of_memory(self, task: Task) -> Cause:
        limit = self._services[task.id].get("mem_limit")
        what = f"the container used more than its memory, {limit}" if limit else "the machine ran out of memory"
        return Cause("out of memory", what, hint="raise Resources(memory=…) of the step")

    # Container steps: this process is beside them

    def _program(self, ready: Ready) -> Outcome:
        context = replace(
            self.context,
            listen=lambda task, index, text: self._heard.put(("line", ready, text)),
            isolated=True,  # a time limit is kept where the container is waited for
            run_program=lambda task, inputs, folder, env, emit: self._run_program(
                task, ready.index, inputs, folder, env, emit
            ),
        )
        return perform(context, ready)

    def _run_program(
        self,
        task: Task,
        index: Index,
        inputs: Mapping[str, Any],
        folder: Path,
        env: Mapping[str, str],
        emit: Callable[[str], None],
    ) -> dict[str, Any]:
        """Run a container step's program in its image: see `program_steps.run_program`."""
        secrets = {f"{SECRET}{name}": None for name in task.settings.secrets}
        limit = None if task.settings.timeout is None else float(task.settings.timeout)  # type: ignore[arg-type]
        with exchange.packed(task, inputs) as (archive, variables):
            name = str((*task.code.command, *task.code.args)[0])  # type: ignore[union-attr]
            try:
                exit_, _ = self._run(
                    task, index, {**env, **secrets}, emit, variables=variables, archive=archive, limit=limit,
                    collect=folder,
                )  # fmt: skip
            except NotStarted as error:
                raise TaskFailed("program failed", f"{name!r} cannot be started: {error.message}", error.hint) from None
        if exit_.out_of_memory:
            cause = self._out_of_memory(task)
            raise TaskFailed(cause.kind, cause.message, cause.hint)
        if exit_.code:
            raise TaskFailed("program failed", f"{name!r} ended with exit code {exit_.code}")
        return exchange.outputs(task, folder)

    # Both

    def _run(
        self,
        task: Task,
        index: Index,
        environment: Mapping[str, str | None],
        emit: Callable[[str], None],
        *,
        variables: Mapping[str, str] | None = None,
        archive: Any = None,
        limit: float | None = None,
        collect: Path | None = None,
    ) -> tuple[Exit, list[str]]:
        """Run a task's container to its end: how it ended, and the last lines of its log."""
        service = compose.service(self._services[task.id], {**self._variables, **(variables or {})})
        if self._config.cap_resources:
            service = replace(
                service,
                cpus=None if service.cpus is None else min(service.cpus, self._capacity.cpus),
                memory=None if service.memory is None else min(service.memory, self._capacity.memory),
            )
        env = {name: value for name, value in {**service.environment, **environment}.items() if value is not None}
        place = ".".join([task.id, *map(str, index)])
        labels = {
            "crossdock.run": self.context.run.id,
            "crossdock.task": place,
            "crossdock.driver": f"{host_name()}:{os.getpid()}",
        }
        name = f"crossdock-{self.context.run.id}-{place}-{os.urandom(3).hex()}"
        container = ""
        tail: deque[str] = deque(maxlen=_TAIL)
        try:
            with self._lock:
                if self._is_cancelled:
                    raise Cancelled("cancelled")
                container = self._engine.create(service, name, env, labels)
                self._running.add(container)
            if archive is not None:
                self._engine.put(container, archive)
            self._engine.start(container)
            over = _deadline(limit, lambda: self._engine.stop(container, 0))
            try:
                for line in self._engine.lines(container):
                    tail.append(line)
                    emit(line)
                exit_ = self._engine.wait(container)
            finally:
                late = over()
            if self._is_cancelled and collect is not None:
                raise Cancelled("cancelled")
            if late and limit is not None:
                raise TaskFailed("timeout", f"the attempt took longer than {limit:g} seconds", "raise timeout=")
            if collect is not None and not exit_.code:
                with self._engine.get(container, exchange.OUTPUTS) as found:
                    exchange.unpack(found, collect)
            return exit_, list(tail)
        finally:
            if container:
                self._engine.remove(container)
                with self._lock:
                    self._running.discard(container)


def _deadline(limit: float | None, end: Callable[[], None]) -> Callable[[], bool]:
    """Call `end` when the time is over; gives what stops the clock, and says whether it was."""
    late = threading.Event()
    if limit is None:
        return lambda: False

    def over() -> None:
        late.set()
        end()

    timer = threading.Timer(limit, over)
    timer.daemon = True
    timer.start()

    def stopped() -> bool:
        timer.cancel()
        return late.is_set()

    return stopped
