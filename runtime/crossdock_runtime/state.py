"""The state of a run, derived from its plan and the facts of its tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crossdock.dsl.errors import BadInput, StoreError
from crossdock.dsl.frozen import frozen
from crossdock_runtime.blocked import Blocked
from crossdock_runtime.contract import Plan, Task
from crossdock_runtime.failure import Cause
from crossdock_runtime.inputs import Resolver, Skip
from crossdock_runtime.manifest import ABSENT, Manifest
from crossdock_runtime.reading import snapshot
from crossdock_runtime.record import (
    DONE,
    LOST_SECONDS,
    Index,
    Result,
    RunRecord,
    TaskRecord,
    host_name,
    is_alive,
    newest_runs,
    seconds_since,
)
from crossdock_runtime.store import Store
from crossdock_runtime.values import digest

if TYPE_CHECKING:
    from crossdock.dsl.pipeline import RunStatus


@frozen
class TaskState:
    """How one task, or one item of a mapped one, stands.

    Attributes:
        state: one of `record.STATES`.
        attempts: how many there were.
        cause: why it failed.
        result: what was committed.
        seconds: how long the last attempt took, if it ended.
    """

    task: str
    index: Index
    state: str
    attempts: int = 0
    cause: Cause | None = None
    result: Result | None = None
    seconds: float | None = None

    @property
    def name(self) -> str:
        """`task`, or `task.0.3` for an item."""
        return ".".join([self.task, *map(str, self.index)])


@frozen
class RunState:
    """How a run stands.

    Attributes:
        document: its `run.json`.
        status: `succeeded`, `failed`, `cancelled`, `lost` or `running`.
        tasks: in the plan's order.
    """

    run: str
    document: Mapping[str, Any]
    plan: Plan
    status: str
    tasks: tuple[TaskState, ...] = field(default_factory=tuple)


def find_run(store: Store, text: str) -> str:
    """The id of a run, given whole, by its random end, or as `latest`.

    Raises:
        BadInput: there is none, or more than one.
    """
    if text == "latest":
        for run in newest_runs(store):
            return run
        raise BadInput(f"there are no runs in {store.url}", hint="crossdock run FILE.py", id="unknown-run")
    if text and _is_there(store, text):
        return text
    near = [run for run in newest_runs(store) if text and (run.endswith(text) or run.startswith(text))]
    found = near if len(near) > 9 else [run for run in near if _is_there(store, run)]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadInput(
            f"{text!r} is more than one run: {', '.join(found[:5])}", hint="give more of the id", id="ambiguous-run"
        )
    raise BadInput(f"there is no run {text!r} in {store.url}", hint="crossdock runs list", id="unknown-run")


def _is_there(store: Store, run: str) -> bool:
    try:
        return RunRecord(store, run).document() is not None
    except BadInput:  # no key of a store, such as ../plans
        return False
    except StoreError:  # damaged, and there: it can be deleted
        return True


def plan_of(record: RunRecord) -> Plan:
    """The plan that a run executes."""
    document = record.document()
    if document is None:
        raise BadInput(
            f"there is no run {record.id!r} in {record.store.url}", hint="crossdock runs list", id="unknown-run"
        )
    name = document.get("plan")
    if not isinstance(name, str):
        raise StoreError(
            f"{record.key}/run.json in {record.store.url} is damaged: it names no plan",
            hint=f"crossdock runs delete {record.id}",
            id="damaged-record",
        )
    data = record.plan_bytes(name)
    if digest(data) != f"sha256:{name}":
        raise StoreError(
            f"the plan of run {record.id} in {record.store.url} is damaged",
            hint=f"run the pipeline again, which stores the plan anew; or crossdock runs delete {record.id}",
            id="damaged-plan",
        )
    return Plan.from_json(data)


def read_state(store: Store, run: str) -> RunState:
    """The state of a run now.

    Raises:
        BadInput: there is no such run.
        StoreError: a fact of it is damaged.
    """
    try:
        return _read_state(snapshot(store, f"runs/{run}"), run)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise StoreError(
            f"a record of run {run} in {store.url} is damaged: {type(error).__name__}: {error}",
            hint=f"crossdock runs delete {run}",
            id="damaged-record",
        ) from error


def _read_state(store: Store, run: str) -> RunState:
    record = RunRecord(store, run)
    plan = plan_of(record)
    document = record.document() or {}
    facts = _Facts.of(record)
    parameters = record.parameters(plan.parameters)
    document["parameters"] = parameters
    resolver = Resolver(store, plan, record, parameters)
    tasks = tuple(_tasks(resolver, facts))
    return RunState(run, document, plan, _status(tasks, facts), tasks)


@frozen
class _Facts:
    """What is known of a run as a whole: `stop.json`, `end.json`, and whether its driver lives, if it has one."""

    stop: Mapping[str, Any] | None
    end: Mapping[str, Any] | None
    driver: bool | None

    @classmethod
    def of(cls, record: RunRecord) -> _Facts:
        end = record.ended()
        return cls(record.stopped(), end, None if end is not None else record.driver_is_alive())

    @property
    def is_open(self) -> bool:
        """Whether a task may still be under way."""
        return self.end is None and self.driver is not False


def exit_status(resolver: Resolver) -> RunStatus:
    """How a run went, for its exit task: what has no result and no failure upstream counts as failed."""
    from crossdock.dsl.pipeline import RunStatus

    plan, record = resolver.plan, resolver.run
    failed: dict[str, str] = {}
    whole = True
    for item in _tasks(resolver, _Facts(record.stopped(), None, True)):
        if item.task == plan.on_exit or item.state in DONE:
            continue
        whole = False
        if item.state not in ("upstream_failed", "cancelled"):
            failed.setdefault(item.task, item.cause.message if item.cause else "unknown")
    return RunStatus(record.id, plan.name, "succeeded" if whole else "failed", list(failed), list(failed.values()))


def _tasks(resolver: Resolver, facts: _Facts) -> Iterator[TaskState]:
    """The state of every task, and of every item of the mapped ones, in the plan's order."""
    blocked = Blocked(resolver.plan)
    for task in resolver.plan.tasks:
        for index in _indices(resolver, task):
            found = _task_state(resolver, task, index, blocked, facts)
            blocked.add(task.id, index, found.state)
            yield found


def _indices(resolver: Resolver, task: Task) -> Iterator[Index]:
    """The item numbers of a task; those of a whole map where its items are not known."""
    maps = resolver.plan.maps_of(task.scope)

    def below(prefix: Index) -> Iterator[Index]:
        if len(prefix) == len(maps):
            yield prefix
            return
        try:
            count = len(resolver.items(maps[len(prefix)], prefix))
        except Exception:  # skipped, not there yet, or no list: the map is shown as a whole
            yield prefix
            return
        for number in range(count):
            yield from below((*prefix, number))

    return below(())


def _task_state(resolver: Resolver, task: Task, index: Index, blocked: Blocked, facts: _Facts) -> TaskState:
    record = resolver.run.task(task.id, index)
    result = record.result()
    attempts = record.attempts()
    if result is not None:
        seconds = _between(result.started, result.finished)
        return TaskState(task.id, index, result.state, len(attempts), None, result, seconds)
    if attempts:
        finished = record.fact(attempts[-1], "finished")
        if finished is not None and facts.is_open and _is_waiting(record, attempts[-1]):
            return TaskState(task.id, index, "running", len(attempts))
        if finished is not None:
            seconds = _between(finished.get("started"), finished.get("finished"))
            cause = Cause.from_json(finished["cause"]) if "cause" in finished else None
            return TaskState(task.id, index, finished["state"], len(attempts), cause, None, seconds)
        state = "running" if facts.is_open and not _is_lost(record, attempts[-1]) else "lost"
        cause = Cause("killed", "the attempt stopped without saying why") if state == "lost" else None
        return TaskState(task.id, index, state, len(attempts), cause)
    if blocked.blocks(task, index):
        return TaskState(task.id, index, "upstream_failed")
    skipped = resolver.derived_skip(task, index) or _skipped_map(resolver, task, index)
    if skipped is not None:
        return TaskState(task.id, index, "skipped", result=skipped)
    if facts.stop is not None:
        return TaskState(task.id, index, "cancelled")
    return TaskState(task.id, index, "pending")


def _skipped_map(resolver: Resolver, task: Task, index: Index) -> Result | None:
    """The result of a mapped task whose list of items was skipped."""
    maps = resolver.plan.maps_of(task.scope)
    if len(index) == len(maps):
        return None
    try:
        resolver.items(maps[len(index)], index)
    except Skip as skip:
        return resolver.skipped(task, index, str(skip))
    except Exception:  # told by the task that lists the items
        return None
    return None


def _is_waiting(record: TaskRecord, attempt: int) -> bool:
    """Whether another attempt is to follow a failed one."""
    again = record.fact(attempt, "again")
    return again is not None and seconds_since(again["until"]) < LOST_SECONDS


def _is_lost(record: TaskRecord, attempt: int) -> bool:
    started = record.fact(attempt, "started") or {}
    if started.get("host") == host_name() and not is_alive(int(started.get("pid", 0))):
        return True
    beat = record.fact(attempt, "heartbeat")
    last = (beat or {}).get("time") or started.get("started")
    return last is None or seconds_since(last) > LOST_SECONDS


def _between(start: str | None, end: str | None) -> float | None:
    if not (start and end):
        return None
    return max(0.0, round(datetime.fromisoformat(end).timestamp() - datetime.fromisoformat(start).timestamp(), 3))


def _status(tasks: Sequence[TaskState], facts: _Facts) -> str:
    if facts.end is not None:
        return str(facts.end["status"])
    states = {task.state for task in tasks}
    cancelled = facts.stop is not None and facts.stop["reason"] == "cancelled"
    if states <= set(DONE):
        return "succeeded"
    if facts.driver is False:
        return "cancelled" if cancelled else "failed" if "failed" in states else "lost"
    if "running" in states:
        return "running"
    if cancelled:
        return "cancelled"
    if facts.driver or ("pending" in states and "lost" not in states):
        return "running"
    return "lost" if "lost" in states else "failed"


def outputs_json(outputs: Mapping[str, Manifest]) -> dict[str, Any]:
    """Outputs as in `--json`: the value where it is small, else the place of the bytes."""
    found: dict[str, Any] = {}
    for name, manifest in outputs.items():
        if manifest.skipped:
            found[name] = {"skipped": True}
        elif manifest.value is not ABSENT:
            found[name] = {"type": manifest.type, "value": manifest.value, "digest": manifest.digest}
        else:
            found[name] = {"type": manifest.type, "uri": manifest.uri, "digest": manifest.digest}
    return found


def state_json(state: RunState) -> dict[str, Any]:
    """The document of `run --json` and `runs show --json` (EXECUTION.md, "JSON")."""
    tasks: dict[str, Any] = {}
    for task in state.tasks:
        body: dict[str, Any] = {"state": task.state, "attempts": task.attempts}
        if task.cause is not None:
            body["cause"] = task.cause.to_json()
        if task.seconds is not None:
            body["seconds"] = task.seconds
        if task.result is not None:
            body["outputs"] = outputs_json(task.result.outputs)
        tasks[task.name] = body
    return {
        "run": state.run,
        "pipeline": state.plan.name,
        "status": state.status,
        "created": state.document.get("created"),
        "tags": list(state.document.get("tags", ())),
        "parameters": dict(state.document.get("parameters", {})),
        "tasks": tasks,
    }
