"""A case of the kit: a pipeline, how it is run, and a statement in plain Python of what must come of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any


class Scratch:
    """As a parameter's value: a folder, made for this run of the case, that all attempts of one task can write to."""

    def __repr__(self) -> str:
        return "SCRATCH"


SCRATCH = Scratch()


@dataclass(frozen=True, slots=True)
class Shown:
    """As an expected value: whatever prints as this. For objects whose class only the pipeline's module has."""

    text: str


@dataclass(frozen=True, slots=True)
class Holds:
    """As an expected value: a file with these bytes, or a folder with these files."""

    content: bytes | Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task, or one item of a mapped one, must end.

    Attributes:
        state: one of the states of EXECUTION.md.
        outputs: every output, by name.
        attempts: how many there were; None where the state of the run before decides.
        cause: the kind of failure, in the shared vocabulary.
        says: a part of the cause's message.
        other: another end that is as good, where it depends on how much runs at once.
    """

    state: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    attempts: int | None = None
    cause: str | None = None
    says: str = ""
    other: Ended | None = None

    def or_else(self, other: Ended) -> Ended:
        """This end, or another one."""
        return replace(self, other=other)


def ran(*value: Any, attempts: int = 1, **outputs: Any) -> Ended:
    """It succeeded: with one output when a value is given, with named ones, or with none."""
    found = {"output": value[0]} if value else outputs
    return Ended("succeeded", found, attempts)


def cached(*value: Any, **outputs: Any) -> Ended:
    """A result was there already: nothing ran."""
    return Ended("cached", {"output": value[0]} if value else outputs, 0)


def failed(cause: str = "user exception", says: str = "", attempts: int = 1) -> Ended:
    """Every attempt failed."""
    return Ended("failed", attempts=attempts, cause=cause, says=says)


SKIPPED = Ended("skipped", attempts=0)
DECIDED = Ended("succeeded", attempts=0)
"""A task of our own that only evaluates a condition."""
UPSTREAM_FAILED = Ended("upstream_failed", attempts=0)
CANCELLED = Ended("cancelled", attempts=0)


@dataclass(frozen=True, slots=True)
class Once:
    """One run of a case.

    Attributes:
        tasks: how each task ends, by id; `id.0.3` for an item of a map. All of them, and no others.
        status: of the run.
        parameters: values by name.
        texts: values as text by name, as from a command line.
        cache: whether results of earlier runs, and of this one, are looked for.
        resume: adopt what the run before committed.
        env: variables of the environment that the run is started in; values are secret.
    """

    tasks: Mapping[str, Ended]
    status: str = "succeeded"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    cache: bool = False
    resume: bool = False
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """A pipeline and its runs, one after the other in one store.

    Attributes:
        name: unique.
        source: `module:pipeline`, the module being one of `pipelines/`.
        runs: none where a run needs what not every machine has: then it only translates.
        large: it has so many tasks that it takes long where each costs a process.
    """

    name: str
    source: str
    runs: tuple[Once, ...] = ()
    large: bool = False

    def __str__(self) -> str:
        return self.name


def case(name: str, source: str, *runs: Once, **tasks: Ended) -> Case:
    """A case of several runs, or of one that succeeds, with the tasks' ends by id (`_` for `-`)."""
    if not runs:
        runs = (Once({key.replace("_", "-"): end for key, end in tasks.items()}),)
    return Case(name, source, runs)


def same(found: Any, expected: Any) -> bool:
    """Whether a value is what was expected: of the same type all through, NaN like NaN, -0.0 unlike 0.0."""
    if isinstance(expected, Shown):
        return repr(found) == expected.text
    if isinstance(expected, Holds):
        return isinstance(found, Path) and _content(found) == expected.content
    if type(found) is not type(expected):
        return False
    if isinstance(expected, float):
        if math.isnan(expected):
            return math.isnan(found)
        return bool(found == expected) and math.copysign(1.0, found) == math.copysign(1.0, expected)
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(same(found[key], expected[key]) for key in expected)
    if isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(map(same, found, expected))
    return bool(found == expected)


def _content(path: Path) -> bytes | Mapping[str, bytes]:
    if path.is_file():
        return path.read_bytes()
    files = [item for item in path.rglob("*") if item.is_file()]
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in files}
