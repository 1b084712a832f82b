"""Look at one task of a run again: run it here, or say why it was not cached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock.passes.load import Loaded
from crossdock_runtime.cache import key_fields
from crossdock_runtime.context import Outcome, Ready, RunContext
from crossdock_runtime.driver import Event
from crossdock_runtime.execute import perform
from crossdock_runtime.failure import cause_of
from crossdock_runtime.inputs import NotThere, Resolver, Skip
from crossdock_runtime.loading import Project
from crossdock_runtime.record import Index, RunRecord, new_run_id, newest_runs
from crossdock_runtime.state import RunState, exit_status, find_run, read_state
from crossdock_runtime.store import Store

if TYPE_CHECKING:
    from crossdock.ir import Plan


def split_name(state: RunState, name: str) -> tuple[str, Index]:
    """Task and item numbers of `task` or `task.0.3`.

    Raises:
        BadInput: the run has no such task.
    """
    for item in state.tasks:
        if item.name == name:
            return item.task, item.index
    names = tuple(item.name for item in state.tasks)
    raise BadInput(f"run {state.run} has no task {name!r}", hint=did_you_mean(name, names), id="unknown-task")


def replay(
    store: Store,
    run: str,
    name: str,
    load_again: Callable[[Mapping[str, Any]], Loaded],
    on_event: Callable[[Event], None] | None,
) -> tuple[str, Outcome]:
    """Run one task again in this process, with the inputs that it had.

    Its code is the present one; its record goes to a scratch run that no list shows.

    Raises:
        BadInput: there is no such task, or an input has no committed result.
    """
    run = find_run(store, run)
    state = read_state(store, run)
    task_id, index = split_name(state, name)
    plan: Plan = state.plan
    task = plan.by_id[task_id]
    document = dict(state.document)
    loaded = load_again(document)
    source = RunRecord(store, run)
    parameters = source.parameters(plan.parameters)
    resolver = Resolver(store, plan, source, parameters)
    resolver.status = lambda: exit_status(resolver)
    try:
        inputs = {key: resolver.input(item, index, task.scope) for key, item in task.inputs.items()}
    except NotThere as missing:
        raise BadInput(
            f"task {missing.task!r}, whose result {name} reads, has none in {run}",
            hint=f"crossdock runs resume {run}",
            id="no-result",
        ) from None
    except Skip as skip:
        raise BadInput(f"{name} was skipped in {run}: {skip}", id="no-result") from None
    scratch = RunRecord(store, f"replay-{new_run_id()}")
    body = {**document, "replay_of": run, "plan": plan.digest}
    store.create(f"{scratch.key}/run.json", _dump({**body, "run": scratch.id}))
    context = RunContext(
        store=store,
        plan=replace(plan, gates={}),
        run=scratch,
        parameters=parameters,
        project=Project(loaded.root, plan.source.python_path),
        cache=False,
        isolated=True,  # it is this process that is isolated: a debugger wants neither another one nor a time limit
        remember=False,
    )
    tell = on_event or (lambda event: None)
    context.listen = lambda name, item, text: tell(Event("line", name, item, text))
    fields = key_fields(task, {key: item.digest for key, item in inputs.items()})
    ready = Ready(task, index, scratch.task(task_id, index), inputs, fields, "")
    tell(Event("started", task_id, index))
    try:
        outcome = perform(context, ready)
    except Exception as error:
        outcome = Outcome("failed", cause=cause_of(error))
    tell(Event("ended", task_id, index, outcome=outcome))
    return scratch.id, outcome


def _dump(body: Mapping[str, Any]) -> bytes:
    from crossdock_runtime.record import dumps

    return dumps(body)


def explain_cache(store: Store, run: str, name: str) -> dict[str, Any]:
    """The fields of a task's cache key, and those that differ from the newest earlier run with a result of it.

    Raises:
        BadInput: there is no such task, or it has no committed result.
    """
    run = find_run(store, run)
    state = read_state(store, run)
    task, index = split_name(state, name)
    result = RunRecord(store, run).task(task, index).result()
    if result is None or not result.fields:
        raise BadInput(
            f"{name} has no committed result in {run}, so no cache key",
            hint=f"crossdock runs show {run}",
            id="no-result",
        )
    before, other = _before(store, state, task, index)
    fields = dict(result.fields)
    names = list(dict.fromkeys([*fields, *before])) if other else []
    different = {key: (before.get(key), fields.get(key)) for key in names if before.get(key) != fields.get(key)}
    return {
        "run": run,
        "task": name,
        "state": result.state,
        "reason": result.reason,
        "key": result.key,
        "compared_with": other,
        "different": different,
        "fields": fields,
    }


def _before(store: Store, state: RunState, task: str, index: Index) -> tuple[dict[str, str], str | None]:
    seen = False
    for run in newest_runs(store):
        if run == state.run:
            seen = True
            continue
        if not seen:
            continue
        record = RunRecord(store, run)
        document = record.document()
        if document is None or document.get("pipeline") != state.plan.name:
            continue
        result = record.task(task, index).result()
        if result is not None and result.fields:
            return dict(result.fields), run
    return {}, None
