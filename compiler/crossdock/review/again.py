"""Look at one task of a run again: run it here, or say why it was not cached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock.dsl.frozen import frozen
from crossdock.passes.load import Loaded
from crossdock_runtime.cache import key_fields
from crossdock_runtime.context import Outcome, Ready, RunContext
from crossdock_runtime.driver import Event
from crossdock_runtime.execute import perform
from crossdock_runtime.failure import cause_of
from crossdock_runtime.inputs import NotThere, Resolved, Resolver, Skip
from crossdock_runtime.loading import Project
from crossdock_runtime.record import Index, RunRecord, dumps, new_run_id, newest_runs
from crossdock_runtime.state import RunState, exit_status, find_run, read_state
from crossdock_runtime.store import Store

if TYPE_CHECKING:
    from crossdock.ir import Plan, Task


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


@frozen
class Chosen:
    """A task of a run, with the inputs that it had.

    Attributes:
        run: the run's id.
        parameters: tagged values of the pipeline's parameters.
    """

    store: Store
    run: str
    plan: Plan
    document: Mapping[str, Any]
    task: Task
    index: Index
    inputs: Mapping[str, Resolved]
    parameters: Mapping[str, Any]

    def scratch(self, plan: Plan) -> RunRecord:
        """A run for it alone, which no list shows."""
        record = RunRecord(self.store, f"replay-{new_run_id()}")
        body = {**self.document, "replay_of": self.run, "plan": plan.digest, "run": record.id}
        self.store.create(f"{record.key}/run.json", dumps(body))
        return record


def choose(store: Store, run: str, name: str) -> Chosen:
    """A task that is to run once more.

    Args:
        store: of the run.
        run: see `find_run`.
        name: `task`, or `task.0.3` for an item of a map.

    Raises:
        BadInput: there is no such task, or an input has no committed result.
    """
    run = find_run(store, run)
    state = read_state(store, run)
    task_id, index = split_name(state, name)
    plan: Plan = state.plan
    task = plan.by_id[task_id]
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
    return Chosen(store, run, plan, dict(state.document), task, index, inputs, parameters)


def replay(chosen: Chosen, loaded: Loaded, on_event: Callable[[Event], None] | None) -> tuple[str, Outcome]:
    """Run a task again in this process. Its code is the present one; its record goes to a scratch run.

    Returns:
        The scratch run's id, and how the task ended.
    """
    plan, task, index = chosen.plan, chosen.task, chosen.index
    scratch = chosen.scratch(plan)
    context = RunContext(
        store=chosen.store,
        plan=replace(plan, gates={}),
        run=scratch,
        parameters=chosen.parameters,
        project=Project(loaded.root, plan.source.python_path),
        cache=False,
        isolated=True,  # it is this process that is isolated: a debugger wants neither another one nor a time limit
        remember=False,
        reads=RunRecord(chosen.store, chosen.run),
    )
    tell = on_event or (lambda event: None)
    context.listen = lambda name, item, text: tell(Event("line", name, item, text))
    fields = key_fields(task, {key: item.digest for key, item in chosen.inputs.items()})
    ready = Ready(task, index, scratch.task(task.id, index), chosen.inputs, fields, "")
    tell(Event("started", task.id, index))
    try:
        outcome = perform(context, ready)
    except Exception as error:
        outcome = Outcome("failed", cause=cause_of(error))
    tell(Event("ended", task.id, index, outcome=outcome))
    return scratch.id, outcome


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
