"""What is to be done with a task: may it start, what does it read, is its result known already."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crossdock.dsl.settings import Cache
from crossdock_runtime import artifacts, cache, predicates
from crossdock_runtime.bindings import Collect, Output, operands
from crossdock_runtime.context import Outcome, Ready, RunContext
from crossdock_runtime.contract import Gate, GateCode, Task
from crossdock_runtime.failure import Cause, cause_of
from crossdock_runtime.inputs import NotThere, Resolved, Resolver, Skip, pick
from crossdock_runtime.manifest import Manifest
from crossdock_runtime.record import Index, Result, now


def prepare(context: RunContext, task: Task, index: Index = ()) -> Outcome | Ready:
    """Decide what is to be done with a task; commits skips, cache hits and adopted results.

    Raises:
        CrossdockError: an input cannot be had; `refuse` records it.
    """
    inputs = admit(context, task, index)
    if isinstance(inputs, Outcome):
        return inputs
    record = context.run.task(task.id, index)
    fields = cache.key_fields(task, {name: item.digest for name, item in inputs.items()})
    key = cache.key_of(fields)
    found = _known(context, task, index, key)
    if found is not None:
        outputs, reason = found
        gates = gates_of(context, task, index, outputs)
        result, _ = record.commit(Result("cached", outputs, gates, 0, key, fields, reason, now(), now()))
        return Outcome(result.state, result)
    return Ready(task, index, record, inputs, fields, key)


def admit(context: RunContext, task: Task, index: Index = ()) -> Outcome | Mapping[str, Resolved]:
    """Whether a task may start, and what it reads then; commits skips, and what a gate task decides.

    Raises:
        CrossdockError: an input cannot be had.
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
        result, _ = record.commit(Result("succeeded", {}, gates_of(context, task, index, {}), started=now()))
        return Outcome(result.state, result)
    return inputs


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


def gates_of(context: RunContext, task: Task, index: Index, outputs: Mapping[str, Manifest]) -> dict[str, str]:
    """The text of every gate that the task evaluates."""
    resolver = context.resolver()

    def value(binding: Any) -> Any:
        if isinstance(binding, Output) and binding.task == task.id:
            return pick(artifacts.read_inline(outputs[binding.name], context.store), binding.path)
        return resolver.value(binding, index, task.scope)

    def decide(gate: Gate) -> str:
        try:
            return "true" if predicates.holds(gate.predicate, value) else "false"
        except Skip:
            return "skipped"

    return {gate.id: decide(gate) for gate in context.plan.gates_of.get(task.id, ())}
