"""Delete a run: its facts, and those bytes that no other run and no cache entry points to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.dsl.errors import BadInput, PlanError, StoreError
from crossdock_runtime.record import RunRecord
from crossdock_runtime.state import read_state
from crossdock_runtime.store import Store


def delete_run(store: Store, run: str) -> tuple[int, int]:
    """Delete a run; its cache entries go with the bytes, results of other runs keep theirs.

    Returns:
        How many facts and how many data objects were deleted.

    Raises:
        BadInput: it is still running.
    """
    if _status(store, run) == "running":
        raise BadInput(f"run {run} is still running", hint=f"crossdock runs cancel {run}", id="run-still-running")
    record = RunRecord(store, run)
    index = [key for key in store.keys("index/") if key.partition("-")[2] == run]
    facts = list(store.keys(f"{record.key}/"))
    mine = list(store.keys(f"data/{run}/"))
    used = _used_by_others(store, run) if mine else set()
    data = [key for key in mine if not any(key.startswith(f"{uri}/") for uri in _prefixes(key) & used)]
    entries = [key for key, body in _entries(store, "cache/") if body.get("run") == run and not _uris(body) & used]
    store.delete([*index, *entries])
    store.delete(facts)
    store.delete(data)
    return len(facts), len(data)


def _status(store: Store, run: str) -> str:
    try:
        return read_state(store, run).status
    except (StoreError, PlanError):
        return "damaged"


def _prefixes(key: str) -> set[str]:
    parts = key.split("/")
    return {"/".join(parts[:count]) for count in range(3, len(parts))}


def _entries(store: Store, prefix: str, suffix: str = ".json") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key in list(store.keys(prefix)):
        data = store.try_read(key) if key.endswith(suffix) else None
        try:
            body = json.loads(data) if data is not None else None
        except ValueError:
            continue
        if isinstance(body, dict):
            yield key, body


def _uris(body: Mapping[str, Any]) -> set[str]:
    outputs = body.get("outputs")
    items = outputs.values() if isinstance(outputs, dict) else ()
    return {item["uri"] for item in items if isinstance(item, dict) and item.get("uri")}


def _used_by_others(store: Store, run: str) -> set[str]:
    """Places of data that committed results of other runs point to."""
    found: set[str] = set()
    for key, body in _entries(store, "runs/", "/result.json"):
        if not key.startswith(f"runs/{run}/"):
            found |= _uris(body)
    return found
