"""Find and delete what nothing in a store points to.

Safe beside runs: what there is to delete is listed first and who points to it read afterwards, so that a result which
is committed meanwhile counts; what runs that go on have written, and all that is younger than a day (or what is asked
for), is left alone. An object's age is the store's own time of its last writing, of which nobody's clock is part but
the store's and this machine's.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from crossdock.dsl.errors import PlanError
from crossdock.dsl.frozen import frozen
from crossdock_runtime.cleanup import status_of
from crossdock_runtime.code import code_key
from crossdock_runtime.contract import Plan
from crossdock_runtime.reading import each, read_each
from crossdock_runtime.references import bodies, is_below, members, places, run_of
from crossdock_runtime.store import STAGING, Entry, Store

KINDS = {
    "deleted runs": "facts and data of runs that are deleted, or were never begun",
    "attempts": "data of attempts that failed, were lost, or came second",
    "replays": "scratch runs of `runs replay`",
    "cache": "cache entries that cannot be used: their run is deleted, or their bytes are gone",
    "plans": "plans that no run uses",
    "code": "code packages that no plan names",
    "staging": "files of a local store that were never finished",
}
"""Each kind of garbage, in the order in which it is deleted."""
SETTLING_SECONDS = 3600.0
"""So long, whatever is asked for, a plan or code stays whose run is being started, and a file that is being written."""


@frozen
class Garbage:
    """An object that nothing points to.

    Attributes:
        kind: a key of `KINDS`.
        run: the run that it is of.
        tags: of that run.
    """

    kind: str
    entry: Entry
    run: str | None = None
    tags: tuple[str, ...] = ()


@frozen
class _Listed:
    """A store at one time: its objects, and then what the facts say."""

    cache: list[Entry]
    data: list[Entry]
    plans: list[Entry]
    code: list[Entry]
    facts: dict[str, list[Entry]]
    documents: Mapping[str, Mapping[str, object] | None]
    used: set[str]
    unsure: set[str]
    open: set[str]


def find(store: Store, older_than: float = 86_400.0, tag: str | None = None) -> list[Garbage]:
    """What can be deleted.

    Args:
        store: where to look.
        older_than: seconds; what was written later is left alone.
        tag: only what is of runs with this tag.

    Raises:
        StoreError: the store cannot be read.
    """
    now = time.time()
    before = dict.fromkeys(KINDS, now - older_than)
    before.update(dict.fromkeys(("plans", "code", "staging"), now - max(older_than, SETTLING_SECONDS)))
    everything = [*_garbage(store, _list(store)), *(Garbage("staging", entry) for entry in _staged(store))]
    found = [item for item in everything if item.entry.written < before[item.kind]]
    return found if tag is None else [item for item in found if tag in item.tags]


def collect(store: Store, found: Iterable[Garbage]) -> None:
    """Delete what was found, cache entries before the bytes that they point to.

    Raises:
        StoreError: the store refused; what is left can be found again.
    """
    found = list(found)
    store.delete([item.entry.key for item in found if item.kind == "cache"])
    others = [item for item in found if item.kind not in ("cache", "plans", "code", "staging")]
    store.delete([item.entry.key for item in others])
    # A run that starts meanwhile writes its plan again, and so says that it needs it, and its code.
    ours = {item.entry for item in found if item.kind == "plans"}
    store.delete([entry.key for entry in store.entries("plans") if entry in ours] if ours else [])
    code = {item.entry.key for item in found if item.kind == "code"}
    named = _named_code(store, store.keys("plans")) if code else set()
    store.delete(code - named if named is not None else [])
    for item in found:
        if item.kind == "staging":
            Path(str(store.local_root), item.entry.key).unlink(missing_ok=True)


def _list(store: Store) -> _Listed:
    cache, data = list(store.entries("cache")), list(store.entries("data"))
    plans, code = list(store.entries("plans")), list(store.entries("code"))
    facts: dict[str, list[Entry]] = {}
    for entry in store.entries("runs"):
        facts.setdefault(run_of(entry.key), []).append(entry)
    documents = dict.fromkeys(facts)
    documents.update((run_of(key), body) for key, body in bodies(store, [f"runs/{run}/run.json" for run in facts]))
    ended = {run for run, entries in facts.items() if any(entry.key == f"runs/{run}/end.json" for entry in entries)}
    undecided = [run for run in facts if run not in ended]
    status = dict(each(store, lambda run: (run, status_of(store, run)), undecided))
    going_on = {run for run, found in status.items() if found == "running"}
    used: set[str] = set()
    unsure = {run for run, body in documents.items() if body is None and f"runs/{run}/run.json" in _keys(facts[run])}
    # What ended since its facts were listed may have committed since.
    lately = [key for run in status if run not in going_on for key in store.keys(f"runs/{run}")]
    known = [key for run in facts if run in ended or run in going_on for key in _keys(facts[run])]
    for key, body in bodies(store, [key for key in (*known, *lately) if key.endswith("/result.json")]):
        if body is None:
            unsure.add(run_of(key))
        else:
            used |= places(store, body)
    return _Listed(cache, data, plans, code, facts, documents, used, unsure, going_on)


def _keys(entries: Iterable[Entry]) -> list[str]:
    return [entry.key for entry in entries]


def _tags(document: Mapping[str, object] | None) -> tuple[str, ...]:
    tags = (document or {}).get("tags", ())
    return tuple(map(str, tags)) if isinstance(tags, (list, tuple)) else ()


def _garbage(store: Store, seen: _Listed) -> Iterator[Garbage]:
    gone = {run for run in {run_of(entry.key) for entry in seen.data} | set(seen.facts) if _is_gone(run, seen)}
    old = _finished_replays(seen)

    def of(kind: str, entry: Entry) -> Garbage:
        run = run_of(entry.key)
        return Garbage(kind, entry, run, _tags(seen.documents.get(run)))

    for run, entries in seen.facts.items():
        if run in gone or run in old:
            # What says that the run is deleted goes last.
            for entry in sorted(entries, key=lambda entry: entry.key.endswith("/run.json")):
                yield of("deleted runs" if run in gone else "replays", entry)
    for entry in seen.data:
        run = run_of(entry.key)
        if run in seen.open or run in seen.unsure or is_below(entry.key, seen.used):
            continue
        yield of("deleted runs" if run in gone else "replays" if run in old else "attempts", entry)
    yield from _cache(store, seen, gone)
    yield from _plans_and_code(store, seen, gone | old)


def _is_gone(run: str, seen: _Listed) -> bool:
    """Whether nothing says what a run is, or it says that it is deleted."""
    document = seen.documents.get(run)
    return run not in seen.unsure and (document is None or "deleted" in document)


def _finished_replays(seen: _Listed) -> set[str]:
    return {
        run for run, body in seen.documents.items() if body is not None and "replay_of" in body and run not in seen.open
    }


def _cache(store: Store, seen: _Listed, gone: set[str]) -> Iterator[Garbage]:
    there = {entry.key for entry in seen.data}
    entries = {entry.key: entry for entry in seen.cache}
    for key, body in bodies(store, entries):
        run = None if body is None else str(body.get("run"))
        garbage = Garbage("cache", entries[key], run, _tags(seen.documents.get(run or "")))
        if body is None:
            yield garbage
            continue
        missing = members(body) - there
        # What was written after the listing is there, too.
        if not all(store.exists(member) for member in missing) or (run in gone and not places(store, body) & seen.used):
            yield garbage


def _plans_and_code(store: Store, seen: _Listed, without: set[str]) -> Iterator[Garbage]:
    if seen.unsure:
        return  # a damaged run does not say which plan it uses
    named = {str(body.get("plan")) for run, body in seen.documents.items() if body is not None and run not in without}
    unused = [entry for entry in seen.plans if entry.key.removeprefix("plans/").removesuffix(".json") not in named]
    yield from (Garbage("plans", entry) for entry in unused)
    if not seen.code:
        return
    code = _named_code(store, (entry.key for entry in seen.plans))
    if code is not None:
        yield from (Garbage("code", entry) for entry in seen.code if entry.key not in code)


def _named_code(store: Store, plans: Iterable[str]) -> set[str] | None:
    """Keys of the code packages that plans name; None where one is damaged, and does not say."""
    found: set[str] = set()
    for _, data in read_each(store, plans):
        try:
            packaging = Plan.from_json(data).packaging if data is not None else None
        except (ValueError, KeyError, TypeError, AttributeError, PlanError):
            return None
        if packaging is not None and packaging.code is not None:
            found.add(code_key(packaging.code))
    return found


def _staged(store: Store) -> Iterator[Entry]:
    """Unfinished files of a local store; the rest of an upload to a bucket is that vendor's to remove."""
    if store.local_root is None or not (store.local_root / STAGING).is_dir():
        return
    with os.scandir(store.local_root / STAGING) as found:
        for item in found:
            try:
                about = item.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if item.is_file(follow_symlinks=False):
                yield Entry(f"{STAGING}/{item.name}", about.st_size, about.st_mtime)
