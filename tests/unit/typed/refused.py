"""What mypy --strict refuses, each line with the code of its error."""

from pathlib import Path
from typing import NamedTuple

from crossdock import Retry, Settings, after, container_step, map, one_of, pipeline, step, when


class Counts(NamedTuple):
    counts: Path


@step
def shards(count: int) -> list[str]:
    return ["a"] * count


@step
def fit(shard: str) -> float:
    return 0.1


count = container_step(name="count", image="debian:12-slim", command=["wc"], outputs=Counts)


@step(retries=3)  # error: call-overload untyped-decorator
def again() -> int:
    return 1


@step(retry=3)  # error: call-overload untyped-decorator
def wrong() -> int:
    return 1


@pipeline
def training(rate: float) -> float:
    shards("three")  # error: arg-type
    fit(rate)  # error: arg-type
    fit()  # error: call-arg
    fit.with_options(memory="1Gi")("a")  # error: call-arg
    after(fit("a"), fit("b")).upper()  # error: attr-defined
    print(count().ranking)  # error: attr-defined
    map(fit, 3)  # error: call-overload
    map(fit, [1, 2])  # error: arg-type
    print(map(fit, ["a"]).score)  # error: attr-defined
    one_of(fit("a"), 0.5).upper()  # error: attr-defined
    Settings(retry="often")  # error: arg-type
    Retry(on=ConnectionError)  # error: arg-type
    with when(rate > 1) as fast:
        fast.otherwise(3)  # error: call-arg
    return "a"  # error: return-value


@pipeline(retry=Retry(3))  # error: call-overload untyped-decorator
def tuning() -> None:
    training("fast")  # error: arg-type
