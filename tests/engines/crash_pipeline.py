"""The pipeline that test_crash.py kills. Every step notes in $CRASH_JOURNAL, outside of the store, what it does."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from crossdock import RunStatus, Settings, map, on_exit, one_of, pipeline, step, when


@dataclass(frozen=True)
class Facts:
    """A value with fields."""

    size: int
    items: list[int]


class Parts(NamedTuple):
    """Two outputs."""

    blob: bytes
    length: int


@contextlib.contextmanager
def noted(task: str, item: int | None = None) -> Iterator[None]:
    """Note that a step started and ended, each by one write of a whole line."""
    name = task if item is None else f"{task}.{item}"
    with Path(os.environ["CRASH_JOURNAL"]).open("ab", buffering=0) as journal:
        journal.write(f"start {name}\n".encode())
        time.sleep(0.002)
        yield
        journal.write(f"end {name}\n".encode())


@step
def begin(size: int) -> Facts:
    """A value."""
    with noted("begin"):
        return Facts(size, [3, 1, 2])


@step
def make_folder(facts: Facts) -> Path:
    """A directory of files."""
    with noted("make-folder"):
        folder = Path(tempfile.mkdtemp()) / "folder"
        for number in range(4):
            place = folder / f"sub{number % 2}" / f"{number}.bin"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(bytes([number]) * facts.size)
        return folder


@step
def make_parts(facts: Facts) -> Parts:
    """Bytes, and how many."""
    with noted("make-parts"):
        return Parts(b"\x00crossdock" * facts.size, 10 * facts.size)


@step
def square(number: int, blob: bytes) -> int:
    """An item of a static map."""
    with noted("square", number):
        return number * number + len(blob)


@step
def list_items(facts: Facts) -> list[int]:
    """The items of the dynamic map."""
    with noted("list-items"):
        return list(range(len(facts.items)))


@step
def pack(item: int, folder: Path) -> bytes:
    """An item of the dynamic map, with an artifact."""
    with noted("pack", item):
        data = b"".join(path.read_bytes() for path in sorted(folder.rglob("*.bin")))
        return bytes([item]) + data


@step
def join(squares: list[int], packs: list[bytes]) -> int:
    """Both maps collected."""
    with noted("join"):
        return sum(squares) + sum(len(pack) for pack in packs)


@step
def many(total: int) -> str:
    """The branch that runs."""
    with noted("many"):
        return f"many: {total}"


@step
def few(total: int) -> str:
    """The branch that is skipped."""
    with noted("few"):
        return f"few: {total}"


@step
def finish(verdict: str, packs: list[bytes], folder: Path) -> str:
    """What everything comes together in."""
    with noted("finish"):
        digest = hashlib.sha256(b"".join(packs))
        for path in sorted(folder.rglob("*.bin")):
            digest.update(path.read_bytes())
        return f"{verdict} {digest.hexdigest()}"


@step
def close(status: RunStatus) -> str:
    """The exit step."""
    with noted("close"):
        return status.status


def build(size: int) -> str:
    """The graph, the same for both pipelines."""
    on_exit(close)
    facts = begin(size)
    folder = make_folder(facts)
    parts = make_parts(facts)
    squares = map(lambda number: square(number, parts.blob), [0, 1, 2])
    packs = map(lambda item: pack(item, folder), list_items(facts))
    total = join(squares, packs)
    with when(total > 100) as enough:
        yes = many(total)
    with enough.otherwise():
        no = few(total)
    return finish(one_of(yes, no), packs, folder)


@pipeline
def plain(size: int = 5000) -> str:
    """Tasks run where the driver does, or in its workers."""
    return build(size)


@pipeline(settings=Settings(timeout="1h", targets={"local": {"isolation": "process"}}))
def isolated(size: int = 5000) -> str:
    """Every attempt runs in a process of its own."""
    return build(size)
