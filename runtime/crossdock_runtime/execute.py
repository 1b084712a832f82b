"""One task of one run: may it start, what does it read, is it known already, run it, commit what it made."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from crossdock.dsl import types
from crossdock.dsl.errors import StoreError
from crossdock.dsl.frozen import frozen
from crossdock.dsl.scratch import scratch_from
from crossdock.dsl.settings import Cache, Retry
from crossdock.dsl.step import Step
from crossdock_runtime import artifacts, cache, failure, heartbeat, predicates, values
from crossdock_runtime.bindings import Collect, Output, operands
from crossdock_runtime.contract import Gate, GateCode, Plan, Program, PythonCode, Task
from crossdock_runtime.failure import Cancelled, Cause, cause_of
from crossdock_runtime.inputs import NotThere, Resolved, Resolver, Skip
from crossdock_runtime.loading import Project
from crossdock_runtime.logs import TaskLog, captured
from crossdock_runtime.manifest import Manifest
from crossdock_runtime.record import Index, Result, RunRecord, TaskRecord, now
from crossdock_runtime.scratch import Scratch
from crossdock_runtime.steps import convert, outputs_of, resolve_secret, run_program, step_of
from crossdock_runtime.store import Store

if TYPE_CHECKING:
    from crossdock.dsl.pipeline import RunStatus

SPARE_ATTEMPTS = 3
"""Attempts beyond the user's own count, for those that ended with the machine."""


@dataclass(slots=True)
class RunContext:
    """What every task of a run shares in one process.

    Attributes:
        parameters: tagged values of the pipeline's parameters.
        resume_from: the run whose results are adopted.
        cache: False looks nothing up; results are still kept for later runs.
        listen: is given (task, index, line) for each line that a task prints.
        status: gives the RunStatus, for the exit task.
        isolated: this process was made for one attempt, which needs no other.
        own_process: nothing but tasks prints here: what programs and libraries print is the task's log too.
        remember: False keeps results out of the cache.
        apart: ids of the tasks that run in a process of their own.
    """

    store: Store
    plan: Plan
    run: RunRecord
    parameters: Mapping[str, Any] = field(default_factory=dict)
    project: Project | None = None
    resume_from: RunRecord | None = None
    cache: bool = True
    native_id: str | None = None
    listen: Callable[[str, Index, str], None] | None = None
    status: Callable[[], RunStatus] | None = None
    isolated: bool = False
    own_process: bool = False
    remember: bool = True
    apart: frozenset[str] = frozenset()
    _resolver: Resolver | None = field(default=None, init=False, repr=False)
    _steps: dict[str, Step[Any, Any]] = field(default_factory=dict, init=False, repr=False)

    def resolver(self) -> Resolver:
        """Resolves the bindings of this run."""
        if self._resolver is None:
            self._resolver = Resolver(self.store, self.plan, self.run, self.parameters, self._status)
        return self._resolver

    def step(self, code: PythonCode) -> Step[Any, Any]:
        """A step, imported once: a run sees the user's files in one state.

        Raises:
            TaskFailed: it cannot be imported here.
        """
        found = self._steps.get(code.ref)
        if found is None:
            found = self._steps[code.ref] = step_of(code, self.project)
        return found

    def _status(self) -> RunStatus:
        from crossdock_runtime.state import exit_status

        return self.status() if self.status is not None else exit_status(self.resolver())


@frozen
class Outcome:
    """How a task ended, as whoever started it is told.

    Attributes:
        state: one of `record.STATES`.
        result: what was committed, if anything was.
        cause: why it failed.
        seconds: how long it took.
        attempts: how many attempts there were.
    """

    state: str
    result: Result | None = None
    cause: Cause | None = None
    seconds: float = 0.0
    attempts: int = 0

    @property
    def exit_code(self) -> int:
        """The runtime's exit code for it."""
        return self.cause.exit_code if self.cause else failure.DONE


@frozen
class Ready:
    """A task that has to run: its inputs, and what its result will depend on."""

    task: Task
    index: Index
    record: TaskRecord
    inputs: Mapping[str, Resolved]
    fields: Mapping[str, str]
    key: str


def prepare(context: RunContext, task: Task, index: Index = ()) -> Outcome | Ready:
    """Decide what is to be done with a task; commits skips, cache hits and adopted results.

    Raises:
        CrossdockError: an input cannot be had; `refuse` records it.
    """
    record = context.run.task(task.id, index)
    known = record.result()
    if known is not None:
        return Outcome(known.state, known, attempts=known.attempt)
    resolver = context.resolver()
    try:
        closed = resolver.closed_branch(task, index)
        if closed is not None:
            return _skipped(resolver, task, index, closed)
        _wait_over(resolver, task, index)
        _wait_for_gates(resolver, task, index)
        inputs = {name: resolver.input(item, index, task.scope) for name, item in task.inputs.items()}
    except Skip as skipped:
        return _skipped(resolver, task, index, str(skipped))
    except NotThere as missing:
        return not_there(missing)
    if task.id != context.plan.on_exit:
        stop = context.run.stopped()
        # Running tasks finish, and one that its platform starts again is one of them.
        if stop is not None and (stop["reason"] != "failed" or not record.attempts()):
            return Outcome("cancelled", cause=Cause("cancelled", f"the run was stopped: {stop['reason']}"))
    if isinstance(task.code, GateCode):
        result, _ = record.commit(Result("succeeded", {}, _gates(context, task, index, {}), started=now()))
        return Outcome(result.state, result)
    fields = cache.key_fields(task, {name: item.digest for name, item in inputs.items()})
    key = cache.key_of(fields)
    found = _known(context, task, index, key)
    if found is not None:
        outputs, reason = found
        gates = _gates(context, task, index, outputs)
        result, _ = record.commit(Result("cached", outputs, gates, 0, key, fields, reason, now(), now()))
        return Outcome(result.state, result)
    return Ready(task, index, record, inputs, fields, key)


def not_there(missing: NotThere) -> Outcome:
    """The outcome of a task that needs one which failed."""
    return Outcome("upstream_failed", cause=Cause("upstream failed", f"task {missing.task!r} has no result"))


def _wait_over(resolver: Resolver, task: Task, index: Index) -> None:
    """Order-only edges: from a failed task there is no result, from a skipped one there is."""
    for name in task.after:
        shared = resolver.plan.shared_maps(resolver.plan.by_id[name].scope, task.scope)
        for item in resolver.indices(name, index[:shared]):
            resolver.result(name, item)


def _wait_for_gates(resolver: Resolver, task: Task, index: Index) -> None:
    """The task evaluates its gates, so it needs what other tasks give to them."""
    for gate in resolver.plan.gates_of.get(task.id, ()):
        for source in operands(gate.predicate):
            if isinstance(source, (Output, Collect)) and source.task != task.id:
                with contextlib.suppress(Skip):
                    resolver.resolve(source, index, task.scope)


def refuse(context: RunContext, task: Task, index: Index, error: BaseException) -> Outcome:
    """Record that a task cannot start: an input, a list of items or its code is not what it should be."""
    cause = cause_of(error)
    record = context.run.task(task.id, index)
    number = record.start(len(record.attempts()) + 1, context.native_id)
    record.finish(number, {"state": "failed", "started": now(), "cause": cause.to_json()})
    return Outcome("failed", cause=cause, attempts=number)


def _skipped(resolver: Resolver, task: Task, index: Index, reason: str) -> Outcome:
    skipped = replace(resolver.skipped(task, index, reason), started=now(), finished=now())
    result, _ = resolver.run.task(task.id, index).commit(skipped)
    return Outcome(result.state, result)


def _known(context: RunContext, task: Task, index: Index, key: str) -> tuple[Mapping[str, Manifest], str] | None:
    """A result that is adopted from the run that is resumed, or found in the cache."""
    if context.project is not None and any(output.materializer for output in task.outputs.values()):
        context.project.activate()
    if context.resume_from is not None:
        earlier = context.resume_from.task(task.id, index).result()
        if earlier is not None and earlier.key == key and _are_usable(context, earlier.outputs):
            return earlier.outputs, f"adopted from {context.resume_from.id}"
    settings = task.settings.cache if isinstance(task.settings.cache, Cache) else Cache()
    if not context.cache or not settings.enabled:
        return None
    expires = None if settings.expires is None else float(settings.expires)  # type: ignore[arg-type]
    found = cache.look_up(context.store, key, expires)
    return None if found is None else (found[0], f"cached by {found[1]}")


def _are_usable(context: RunContext, outputs: Mapping[str, Manifest]) -> bool:
    return all(cache.is_usable(context.store, item) for item in outputs.values())


def _gates(context: RunContext, task: Task, index: Index, outputs: Mapping[str, Manifest]) -> dict[str, str]:
    """The text of every gate that the task evaluates."""
    resolver = context.resolver()

    def value(binding: Any) -> Any:
        if isinstance(binding, Output) and binding.task == task.id:
            from crossdock_runtime.inputs import pick

            return pick(artifacts.read_inline(outputs[binding.name], context.store), binding.path)
        return resolver.value(binding, index, task.scope)

    def decide(gate: Gate) -> str:
        try:
            return "true" if predicates.holds(gate.predicate, value) else "false"
        except Skip:
            return "skipped"

    return {gate.id: decide(gate) for gate in context.plan.gates_of.get(task.id, ())}


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


def run_attempt(context: RunContext, ready: Ready, number: int) -> tuple[Result | None, Cause | None]:
    """One attempt: its result, or why it failed.

    Raises:
        Cancelled, KeyboardInterrupt: told to end; the attempt is recorded before.
    """
    task, record = ready.task, ready.record
    listen = None
    if context.listen is not None:
        tell, index = context.listen, ready.index

        def listen(text: str) -> None:
            tell(task.id, index, text)

    if (task.settings.timeout is not None or task.id in context.apart) and not context.isolated:
        from crossdock_runtime import isolate

        return isolate.attempt(context, ready, number)
    started = now()
    log = TaskLog(record, number, listen=listen)
    try:
        with heartbeat.beating(record, number):
            env = _environment(task, log)
            outputs = _run(context, ready, number, log, env)
            result = Result(
                "succeeded", outputs, _gates(context, task, ready.index, outputs), number, ready.key, ready.fields,
                None, started, now(),
            )  # fmt: skip
            winner, ours = record.commit(result)
            record.finish(number, {"state": winner.state, "committed": ours, "started": started})
    except BaseException as error:
        cause = cause_of(error)
        state = "cancelled" if isinstance(error, (KeyboardInterrupt, Cancelled)) else "failed"
        log.flush()
        record.finish(number, {"state": state, "started": started, "cause": _blanked(cause, log).to_json()})
        if state == "cancelled":
            raise
        return None, _blanked(cause, log)
    if ours and context.remember and _keeps(task):
        cache.remember(context.store, ready.key, context.run.id, winner)
    return winner, None


def _keeps(task: Task) -> bool:
    settings = task.settings.cache
    return not isinstance(settings, Cache) or settings.enabled


def _blanked(cause: Cause, log: TaskLog) -> Cause:
    return Cause(
        cause.kind,
        log.blank(cause.message),
        cause.type,
        cause.bases,
        log.blank(cause.traceback),
        log.blank(cause.hint),
    )


def _environment(task: Task, log: TaskLog) -> dict[str, str]:
    env = dict(task.settings.env)
    for name, secret in task.settings.secrets.items():
        env[name] = resolve_secret(secret.source, secret.reference, name)
        log.hide(env[name])
    return env


@contextlib.contextmanager
def _environ(env: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in env}
    os.environ.update(env)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _run(context: RunContext, ready: Ready, number: int, log: TaskLog, env: Mapping[str, str]) -> dict[str, Manifest]:
    task = ready.task
    with Scratch() as scratch, scratch_from(scratch.path):
        if isinstance(task.code, Program):
            inputs = {name: item.load(_program_type(task, name), scratch.path) for name, item in ready.inputs.items()}
            returned = run_program(task, inputs, scratch.path() / "program", env, log.line)
            log.flush()
            return _save(context, ready, number, returned)
        assert isinstance(task.code, PythonCode)
        with _environ(env), captured(log, descriptors=context.own_process):
            step = context.step(task.code)
            arguments = {}
            for name, item in ready.inputs.items():
                annotation = step.signature.inputs[name].type if name in step.signature.inputs else Any
                members = [kind for kind in types.union_members(annotation) if kind is not type(None)]
                loaded = item.load(members[0] if len(members) == 1 else None, scratch.path)
                arguments[name] = convert(loaded, annotation)
            returned = outputs_of(step, step.function(**arguments))
            return _save(context, ready, number, returned)


def _program_type(task: Task, name: str) -> Any:
    return bytes if task.inputs[name].type == "bytes" else None


def _save(context: RunContext, ready: Ready, number: int, returned: Mapping[str, Any]) -> dict[str, Manifest]:
    task = ready.task
    place = "/".join([f"data/{context.run.id}/{task.id}", *map(str, ready.index), str(number)])
    found = {}
    for name, value in returned.items():
        about = {
            "run": context.run.id, "task": task.id, "index": list(ready.index), "attempt": number, "output": name,
        }  # fmt: skip
        manifest = artifacts.save(
            context.store,
            value,
            f"{place}/{name}",
            producer=about,
            materializer=task.outputs[name].materializer,
        )
        context.store.create(
            f"{ready.record.key}/attempts/{number}/outputs/{name}.json", values.dumps(manifest.to_json())
        )
        found[name] = manifest
    return found


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
