"""What a user writes under mypy --strict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

from crossdock import (
    Artifact,
    Cache,
    Client,
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
    scratch,
    step,
    when,
)


@dataclass
class Score:
    rmse: float


class Split(NamedTuple):
    train: Path
    test: Path


class Counts(NamedTuple):
    counts: Path


@step
def prepare() -> None:
    print("ready")


@step(
    resources=Resources(cpu=1, memory="1Gi"),
    retry=Retry(3, delay="5s", on=(ConnectionError, "requests.Timeout")),
    timeout="1h",
    cache=Cache(expires="7d", depends_on=[Path("pyproject.toml"), "v2"]),
    requirements=["pandas>=2"],
    env={"MODE": "fast"},
    secrets={"TOKEN": Secret(env="TOKEN")},
    labels={"team": "vision"},
    targets={"kubeflow": {"node_selector": {"pool": "a"}}},
)
def split(data: Path, parts: int = 2) -> Split:
    folder = scratch()
    return Split(folder / "a", folder / "b")


@step
def shards(count: int) -> list[str]:
    return ["a"] * count


@step
def fit(shard: str, rate: float = 0.1) -> Score:
    return Score(rate)


@step
def cell(shard: str, number: int) -> int:
    return number


@step
def total(grid: list[list[int]]) -> int:
    return sum(sum(row) for row in grid)


@step
def pack(files: list[Path]) -> int:
    return len(files)


@step
def ratio() -> tuple[Annotated[int, "a"], Annotated[float, "b"]]:
    return 1, 2.0


@step
def best(scores: list[Score]) -> Score:
    return scores[0]


@step
def decide(score: Score | None) -> str:
    return "yes"


@step
def tell(status: RunStatus, channel: str) -> None:
    print(status.ok, channel)


count = container_step(
    name="count",
    image="debian:12-slim",
    command=["awk", "1", InputPath("text")],
    args=[InputValue("shortest"), OutputPath("counts")],
    inputs={"text": Path, "shortest": int},
    outputs=Counts,
    env={"LC_ALL": "C"},
)


@pipeline
def inner(rate: float) -> Score:
    return fit("a", rate)


@pipeline(name="all", settings=Settings(requirements=["x"], retry=Retry(2)), on_failure="continue")
def everything(data: Path = Path("data.csv"), rate: float = 0.1, kind: str = "a") -> dict[str, object]:
    on_exit(tell, channel="#ml")
    ready = prepare()
    parts = after(split.with_options(name="cut", retry=Retry(5))(data), ready)
    _, test = parts
    scores = map(fit, shards(3), concurrency=2)
    more = map(lambda shard: fit(shard, rate), ["a", "b"])
    grid = map(lambda shard: map(lambda number: cell(shard, number), range(3)), shards(2))
    cuts = map(lambda part: split(data, part), [2, 3])
    first, _ = map(lambda part: (fit("a"), cell("a", part)), [2, 3])
    best(first)
    chosen = best(scores)
    with when((chosen.rmse < 0.5) & is_in(kind, ["a", "b"])) as good:
        yes = decide(chosen)
    with good.otherwise():
        no = decide(None)
    words = count(text=test, shortest=3)
    a, b = ratio()
    existing: Path = Artifact.from_uri("s3://bucket/key")
    split(existing, a)
    return {
        "answer": one_of(yes, no),
        "grid": total(grid),
        "cuts": pack(cuts.train),
        "score": best(more),
        "counts": words.counts,
        "inner": inner(rate),
        "b": b,
    }


def by_hand() -> Score:
    Client().run(everything, {"rate": 0.2})
    return fit("a", 0.2)
