"""Many small objects at once: what a remote store answers in the time of a few requests, and not of hundreds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar, cast

from crossdock_runtime.store import Store

AT_ONCE = 16
"""Requests under way at the same time."""

A = TypeVar("A")
B = TypeVar("B")


def each(store: Store, act: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """Do something with each item, in order: on a remote store up to `AT_ONCE` at the same time, and so far ahead."""
    if store.local_root is not None:
        yield from map(act, items)
        return
    from collections import deque
    from concurrent.futures import Future, ThreadPoolExecutor

    pending: deque[Future[B]] = deque()
    rest = iter(items)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="crossdock-read") as pool:
        try:
            while True:
                pending.extend(pool.submit(act, item) for item in itertools.islice(rest, AT_ONCE - len(pending)))
                if not pending:
                    return
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def read_each(store: Store, keys: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
    """Each key with its bytes, None where there is no such object."""
    return each(store, lambda key: (key, store.try_read(key)), keys)


class _Snapshot:
    """A store in which the facts of one run are known, as of one listing."""

    def __init__(self, store: Store, folder: str) -> None:
        self._store = store
        self._folder = f"{folder}/"
        names = list(store.keys(folder))
        self._facts: dict[str, bytes | None] = dict.fromkeys(names)
        self._facts.update(read_each(store, [name for name in names if not self._is_seldom_read(name)]))
        self._folders: dict[str, set[str]] = {}
        self._names: dict[str, list[str]] = {}
        for key in names:
            place, _, name = key.rpartition("/")
            known = place in self._names
            self._names.setdefault(place, []).append(name)
            while not known and place != folder:
                place, _, name = place.rpartition("/")
                known = place in self._folders
                self._folders.setdefault(place, set()).add(name)

    def _is_seldom_read(self, key: str) -> bool:
        """Logs, manifests that results hold too, and attempts of tasks that have a result."""
        task, found, rest = key.partition("/attempts/")
        return bool(found) and (f"{task}/result.json" in self._facts or rest.split("/")[1] in ("log", "outputs"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def try_read(self, key: str) -> bytes | None:
        if not key.startswith(self._folder):
            return self._store.try_read(key)
        data = self._facts.get(key)
        return self._store.try_read(key) if data is None and key in self._facts else data

    def children(self, prefix: str = "") -> tuple[list[str], list[str]]:
        if not f"{prefix}/".startswith(self._folder):
            return self._store.children(prefix)
        return sorted(self._folders.get(prefix, ())), sorted(self._names.get(prefix, ()))


def snapshot(store: Store, folder: str) -> Store:
    """The store, with what is in a folder of facts read at once; a store on this machine as it is."""
    return store if store.local_root is not None else cast("Store", _Snapshot(store, folder))
