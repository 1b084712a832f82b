"""Runs in a line each: read from few facts where a run has ended, and many runs at once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.dsl.errors import PlanError, StoreError
from crossdock.dsl.frozen import frozen
from crossdock_runtime.reading import each
from crossdock_runtime.record import DONE, RunRecord, newest_runs
from crossdock_runtime.store import Store

DAMAGED = ("damaged-record", "damaged-plan", "damaged-artifact", "missing-object")
"""Ids of the errors that hide a run, and no other."""


@frozen
class Summary:
    """A run in a line.

    Attributes:
        document: its `run.json`; empty where that is damaged.
        status: as `RunState.status`, or `damaged`.
        done: how many tasks, and items of mapped ones, have a result.
        of: how many there are.
    """

    run: str
    document: Mapping[str, Any]
    status: str
    done: int = 0
    of: int = 0

    @property
    def pipeline(self) -> str | None:
        """The pipeline's name."""
        return self.document.get("pipeline")

    @property
    def tags(self) -> tuple[str, ...]:
        """The run's tags."""
        return tuple(self.document.get("tags", ()))

    def to_json(self) -> dict[str, Any]:
        """The run in `runs list --json`."""
        return {
            "run": self.run,
            "pipeline": self.pipeline,
            "status": self.status,
            "created": self.document.get("created"),
            "tags": list(self.tags),
            "done": self.done,
            "of": self.of,
        }


def found_runs(
    store: Store, pipeline: str | None = None, tag: str | None = None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Runs, newest first, each with its `run.json`, which is empty where it is damaged.

    Args:
        store: where they are.
        pipeline: only runs of this pipeline.
        tag: only runs with this tag.
    """

    def read(run: str) -> tuple[str, Mapping[str, Any] | None]:
        try:
            return run, RunRecord(store, run).document()
        except StoreError as error:
            if error.id != "damaged-record":
                raise
            return run, {}

    for run, document in each(store, read, newest_runs(store)):
        if document is None or (pipeline is not None and pipeline != document.get("pipeline")):
            continue
        if tag is None or tag in document.get("tags", ()):
            yield run, document


def summaries(
    store: Store, pipeline: str | None = None, tag: str | None = None, limit: int | None = None
) -> Iterator[Summary]:
    """Runs in a line each, newest first; see `found_runs`."""
    found = itertools.islice(found_runs(store, pipeline, tag), limit)
    return each(store, lambda pair: summary_of(store, *pair), found)


def summary_of(store: Store, run: str, document: Mapping[str, Any]) -> Summary:
    """A run in a line.

    Args:
        store: where it is.
        run: its id.
        document: its `run.json`; empty where that is damaged.
    """
    from crossdock_runtime.state import read_state

    if not document:
        return Summary(run, {}, "damaged")
    data = store.try_read(f"runs/{run}/end.json")
    try:
        end = json.loads(data) if data is not None else {}
        if end.get("of"):
            return Summary(run, document, str(end["status"]), int(end["done"]), int(end["of"]))
        state = read_state(store, run)
    except (PlanError, ValueError, TypeError, AttributeError, KeyError):
        return Summary(run, document, "damaged")
    except StoreError as error:
        if error.id not in DAMAGED:
            raise
        return Summary(run, document, "damaged")
    done = sum(task.state in DONE for task in state.tasks)
    return Summary(run, document, state.status, done, len(state.tasks))
