"""Who points to which bytes: committed results and cache entries, by the places of the data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crossdock_runtime.reading import read_each
from crossdock_runtime.store import Store


def bodies(store: Store, keys: Iterable[str]) -> Iterator[tuple[str, Mapping[str, Any] | None]]:
    """The JSON object under each key; None where it is damaged. Keys of nothing are left out."""
    for key, data in read_each(store, keys):
        if data is None:
            continue
        try:
            body = json.loads(data)
        except ValueError:
            body = None
        yield key, body if isinstance(body, dict) else None


def places(store: Store, body: Mapping[str, Any]) -> set[str]:
    """Folders of this store that the manifests of a result, or of a cache entry, point to."""
    outputs = body.get("outputs")
    items = outputs.values() if isinstance(outputs, dict) else ()
    found = {item["uri"] for item in items if isinstance(item, dict) and isinstance(item.get("uri"), str)}
    return {uri.removeprefix(f"{store.url}/") for uri in found}


def members(body: Mapping[str, Any]) -> set[str]:
    """Keys of all objects that the manifests of a cache entry point to."""
    outputs = body.get("outputs")
    items = outputs.values() if isinstance(outputs, dict) else ()
    return {
        f"{item['uri']}/{member['path']}"
        for item in items
        if isinstance(item, dict) and isinstance(item.get("uri"), str) and "://" not in item["uri"]
        for member in item.get("members", ())
        if isinstance(member, dict)
    }


def is_below(key: str, found: set[str]) -> bool:
    """Whether a key is in one of some folders."""
    end = key.rfind("/")
    while end > 0:
        if key[:end] in found:
            return True
        end = key.rfind("/", 0, end)
    return False


def run_of(key: str) -> str:
    """The run that a key below `runs/` or `data/` is of."""
    return key.split("/", 2)[1]
