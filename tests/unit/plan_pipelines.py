"""Random pipelines, written with the words of the DSL: the same seed gives the same pipeline in every process."""

from __future__ import annotations

import datetime
import enum
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from crossdock import (
    Artifact,
    Cache,
    InputPath,
    InputValue,
    OutputPath,
    Resources,
    Retry,
    RunStatus,
    Secret,
    Settings,
    after,
    container_step,
    is_in,
    map,
    on_exit,
    one_of,
    pipeline,
    step,
    when,
)
from crossdock.passes import compile_pipeline


class Kind(enum.Enum):
    A = "a"
    B = "b"


@dataclass(frozen=True)
class Score:
    value: int
    kind: Kind


class Split(NamedTuple):
    left: int
    files: Path


@step
def number(start: int, kind: Kind = Kind.A) -> int:
    return start


@step
def add(a: int, b: float | None) -> int:
    return a


@step
def numbers(count: int, extra: dict[str, int] | None = None) -> list[int]:
    return [count]


@step(cache=Cache(expires="1h", depends_on=("v1",)), labels={"team": "x"})
def split(data: Path, first: int) -> Split:
    return Split(first, data)


@step
def pair(text: str) -> tuple[Annotated[int, "size"], Annotated[str, "text"]]:
    return len(text), text


@step
def judge(values: list[int], when: datetime.date) -> Score:
    return Score(sum(values), Kind.A)


@step
def look(score: Score | None, flag: bool) -> None:
    print(score, flag)


@step
def tell(status: RunStatus, text: str) -> None:
    print(status, text)


copy = container_step(
    name="copy",
    image="debian:12-slim",
    command=["cp", "-v"],
    args=[InputPath("file"), InputValue("count"), OutputPath("out")],
    inputs={"file": Path, "count": int},
    outputs={"out": Path},
)

OPTIONS: list[dict[str, Any]] = [
    {"resources": Resources(cpu="500m", memory="1.5Gi", gpu=1, gpu_type="nvidia-l4", spot=True)},
    {"retry": Retry(3, delay="1m30s", on=(ConnectionError, "some.Thing"))},
    {"timeout": datetime.timedelta(hours=2), "env": {"B": "2", "A": "ü\n"}},
    {"secrets": {"TOKEN": Secret(kubernetes="name/key")}, "cache": False},
    {"requirements": ["b>=1", "a"], "image": "python:3.12"},
    {"targets": {"kubeflow": {"node_selector": {"pool": "a"}}}, "labels": {"a/b": "c"}},
]


@pipeline(settings=Settings(env={"INNER": "1"}, retry=Retry(2)))
def inner(count: int, data: Path) -> int:
    return add(number(count), split(data, 1).left)


class Writer:
    """Writes a pipeline, call by call; what has been made so far is drawn from."""

    def __init__(self, rng: random.Random, ints: list[Any], files: list[Any]) -> None:
        self.rng = rng
        self.ints = ints
        self.files = files
        self.scores: list[Any] = []
        self.made: list[Any] = []
        self.depth = 0

    def one(self, step: Any) -> Any:
        """A step, sometimes with other settings."""
        return step.with_options(**self.rng.choice(OPTIONS)) if self.rng.random() < 0.3 else step

    def int(self) -> Any:
        return self.rng.choice([*self.ints, *self.ints, 0, -1, 2**70])

    def call(self) -> None:
        """Some call that fits."""
        rng = self.rng
        calls: list[Callable[[], None]] = [
            lambda: self.keep(self.one(number)(self.int(), rng.choice(list(Kind)))),
            lambda: self.keep(self.one(add)(self.int(), rng.choice([None, 0.5, float("inf"), self.int()]))),
            lambda: self.keep(self.one(pair)(rng.choice(["", "a b", "ü\u2028", '"$'])).size),
            lambda: self.split(),
            lambda: self.scores.append(self.one(judge)([self.int(), self.int()], datetime.date(2020, 1, 2))),
            lambda: self.one(look)(rng.choice([None, *self.scores]), rng.random() < 0.5),
            lambda: self.files.append(copy(file=rng.choice(self.files), count=self.int()).out),
            lambda: self.keep(inner(self.int(), rng.choice(self.files))),
        ]
        if self.made:
            calls.append(lambda: self.keep(after(number(self.int()), rng.choice(self.made))))
        if self.depth < 3:
            calls.extend([self.branch, self.over])
        rng.choice(calls)()

    def keep(self, made: Any) -> None:
        self.ints.append(made)
        self.made.append(made)

    def split(self) -> None:
        cut = self.one(split)(self.rng.choice(self.files), self.int())
        self.keep(cut.left)
        self.files.append(cut.files)

    def condition(self) -> Any:
        rng, left = self.rng, self.rng.choice(self.ints)
        found = rng.choice([left > self.int(), left == 3, is_in(left, [1, 2]), ~(left != self.int())])
        if self.scores and rng.random() < 0.5:
            found = rng.choice([found & (self.scores[0].kind == Kind.A), found | (self.scores[0].value < 5)])
        return found

    def inside(self, ints: list[Any]) -> Any:
        """A few calls whose results are seen only there; the last of them."""
        kept = (list(self.ints), list(self.files), list(self.scores), list(self.made))
        self.depth += 1
        self.ints.extend(ints)
        for _ in range(self.rng.randint(1, 3)):
            self.call()
        last = number(self.int())
        self.depth -= 1
        self.ints, self.files, self.scores, self.made = kept
        return last

    def branch(self) -> None:
        with when(self.condition()) as taken:
            yes = self.inside([])
        if self.rng.random() < 0.6:
            with taken.otherwise():
                no = self.inside([])
            self.ints.append(one_of(yes, no))

    def over(self) -> None:
        rng = self.rng
        items = rng.choice([lambda: [1, 2], lambda: [self.int(), 3], lambda: numbers(self.int(), {"a": self.int()})])()
        found = map(lambda item: self.inside([item]), items, concurrency=rng.choice([None, 2]))
        if self.depth == 0:
            self.scores.append(judge(found, datetime.date(2021, 3, 4)))


def random_pipeline(rng: random.Random) -> Any:
    """A pipeline of a dozen calls."""

    @pipeline(
        name=f"random-{rng.randint(0, 9)}",
        settings=rng.choice([None, Settings(**rng.choice(OPTIONS))]),
        on_failure=rng.choice(["stop", "continue"]),
    )
    def written(count: int = 3, data: Path = Path("in.csv"), kind: Kind = Kind.B) -> Any:
        if rng.random() < 0.3:
            on_exit(tell, text="done")
        writer = Writer(rng, [count, number(count, kind)], [data, Artifact.from_uri("s3://bucket/key")])
        for _ in range(rng.randint(1, 8)):
            writer.call()
        return {"last": writer.ints[-1], "file": writer.files[-1], "all": writer.ints[-2:]}

    return written


if __name__ == "__main__":
    for seed in range(int(sys.argv[1])):
        print(compile_pipeline(random_pipeline(random.Random(seed))).plan.to_json())
