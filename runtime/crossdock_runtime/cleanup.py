"""Delete runs: their facts, and those bytes that no other run points to.

What is begun can be finished by another call: the run says first that it is deleted, which hides it, its bytes go last,
and then that word.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from crossdock.dsl.errors import BadInput, PlanError, StoreError
from crossdock.dsl.frozen import frozen
from crossdock_runtime.reading import each
from crossdock_runtime.record import RunRecord, dumps, load_fact, now
from crossdock_runtime.references import bodies, is_below, places, run_of
from crossdock_runtime.state import read_state
from crossdock_runtime.store import Store


@frozen
class Deleted:
    """What was deleted with some runs.

    Attributes:
        facts: objects of their records.
        data: objects of their results.
        kept: objects of their results that other runs point to.
    """

    facts: int
    data: int
    kept: int = 0


def delete_runs(store: Store, runs: Iterable[str]) -> Deleted:
    """Delete runs; their cache entries go with the bytes, results of other runs keep theirs.

    Raises:
        BadInput: one is still running, or a running one resumes it; then none is deleted.
    """
    runs = tuple(dict.fromkeys(runs))
    wanted = set(runs)
    for run, status in each(store, lambda run: (run, status_of(store, run)), runs):
        if status == "running":
            raise BadInput(f"run {run} is still running", hint=f"crossdock runs cancel {run}", id="run-still-running")
    closed, opened = _others(store, wanted)
    for other in opened:
        source = (_document(store, other) or {}).get("resume_from")
        if source in wanted and status_of(store, other) == "running":
            raise BadInput(
                f"run {other} is still running, and resumes {source}",
                hint=f"crossdock runs cancel {other}",
                id="run-still-running",
            )
    for run in runs:
        _hide(store, run)
    store.delete([key for key in store.keys("index/") if key.partition("-")[2] in wanted])
    data = [key for run in runs for key in store.keys(f"data/{run}")]
    used = _used(store, closed) if data else set()
    entries = [(key, body) for key, body in bodies(store, list(store.keys("cache"))) if body is not None]
    store.delete([key for key, body in entries if body.get("run") in wanted and not places(store, body) & used])
    # A run that goes on may have taken a result from the cache since.
    used |= _used(store, [key for run in opened for key in _results(store.keys(f"runs/{run}"))]) if data else set()
    facts = 0
    for run in runs:
        mine = [key for key in store.keys(f"runs/{run}") if key != f"runs/{run}/run.json"]
        store.delete(mine)
        facts += len(mine) + 1
    gone = [key for key in data if not is_below(key, used)]
    store.delete(gone)
    store.delete([f"runs/{run}/run.json" for run in runs])
    return Deleted(facts, len(gone), len(data) - len(gone))


def status_of(store: Store, run: str) -> str:
    """How a run stands; `damaged` where its records do not say, `deleted` where that is not done yet."""
    try:
        end = RunRecord(store, run).ended()
        if end is not None:
            return str(end["status"])
        state = read_state(store, run)
        if "replay_of" not in state.document:
            return state.status
        return "running" if any(task.state == "running" for task in state.tasks) else "replayed"
    except (StoreError, PlanError, KeyError):
        return "damaged"
    except BadInput:
        return "deleted"


def is_half_deleted(store: Store, run: str) -> bool:
    """Whether a run says of itself that it is deleted."""
    return "deleted" in (_document(store, run) or {})


def _document(store: Store, run: str) -> dict[str, Any] | None:
    try:
        return load_fact(store, f"runs/{run}/run.json")
    except StoreError as error:
        if error.id != "damaged-record":
            raise
        return None


def _hide(store: Store, run: str) -> None:
    document = _document(store, run) or {}
    body = {"run": run, "deleted": now(), "tags": document.get("tags", [])}
    store.replace(f"runs/{run}/run.json", dumps(body))


def _results(keys: Iterable[str]) -> list[str]:
    return [key for key in keys if key.endswith("/result.json")]


def _others(store: Store, without: set[str]) -> tuple[list[str], Sequence[str]]:
    """Results of the other runs that have ended, and the ids of those that may go on."""
    results: dict[str, list[str]] = {}
    ended = set()
    for key in store.keys("runs"):
        run = run_of(key)
        if run in without:
            continue
        mine = results.setdefault(run, [])
        if key.endswith("/result.json"):
            mine.append(key)
        elif key == f"runs/{run}/end.json":
            ended.add(run)
    return [key for run in results if run in ended for key in results[run]], [
        run for run in results if run not in ended
    ]


def _used(store: Store, results: Iterable[str]) -> set[str]:
    return {place for _, body in bodies(store, results) if body is not None for place in places(store, body)}
