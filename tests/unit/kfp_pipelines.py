"""Small pipelines, one for each construct, for the tests of targets that take KFP's spec."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from pathlib import Path

from crossdock.dsl import (
    Artifact,
    Cache,
    OutputPath,
    Resources,
    Retry,
    RunStatus,
    Secret,
    after,
    container_step,
    map,
    on_exit,
    one_of,
    pipeline,
    step,
    when,
)

DATA = Artifact.from_uri("s3://bucket/key")


class Colour(enum.Enum):
    RED = "red"


@step
def one() -> int:
    return 1


@step
def inc(x: int) -> int:
    return x + 1


@step
def size(path: Path) -> int:
    return path.stat().st_size


@step
def numbers(n: int) -> list[int]:
    return list(range(n))


@step
def nested(n: int) -> list[list[int]]:
    return [list(range(n))]


@step
def total(xs: Sequence[int]) -> int:
    return sum(xs)


@step
def both(x: int | None, y: int | None) -> int:
    return (x or 0) + (y or 0)


@step
def show(n: int, f: float, yes: bool, text: str, colour: Colour, maybe: str | None, big: int) -> None: ...


@step
def bye(status: RunStatus, n: int) -> None: ...


@step(
    resources=Resources(cpu=0.5, memory="4Gi", gpu=2, gpu_type="nvidia-a100-40gb", disk="50Gi", shm="1Gi", spot=True),
    retry=Retry(3, delay=10),
    timeout="1h",
    cache=Cache(expires="7d"),
    image="registry.example/own@sha256:1f",
    env={"MODE": "full", "A": "line\nbreak \u2028 é \U0001f600"},
    labels={"team": "ml", "example.org/cost": "a_b"},
    secrets={"TOKEN": Secret(kubernetes="api/token"), "USER_NAME": Secret(kubernetes="api/user")},
    targets={
        "kubeflow": {
            "node_selector": {"pool": "fast"},
            "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoExecute", "seconds": 60}],
            "annotations": {"sidecar.istio.io/inject": "false"},
            "volumes": [{"claim": "data", "mount_path": "/data", "sub_path": "in"}],
            "image_pull_policy": "Always",
            "image_pull_secrets": ["reg"],
            "cpu_limit": "2",
            "retries": 0,
        }
    },
)
def heavy(x: int) -> int:
    return x


@pipeline
def chain(n: int):
    return inc(inc(n))


@pipeline(name="Odd_Name-")
def odd_names(n: int = 1):
    a = inc.with_options(name="My_Task")(n)
    b = inc.with_options(name="my-task-b")(a)
    return inc.with_options(name="my_task_c_")(b)


@pipeline
def parameters(
    n: int,
    y: bool = True,
    f: float = 1e300,
    text: str = "a: {{b}} # 'c'",
    colour: Colour = Colour.RED,
    maybe: str | None = None,
    given: str | None = "null and void",
    pair: tuple[int, ...] = (1, 2),
    big: int = 2**70,
    nan: float = float("nan"),
    data: Path = DATA,
):
    show(n, f, y, text, colour, maybe, big)
    show(n, nan, y, text, colour, given, big)
    total(pair)
    size(data)


@pipeline
def settings(n: int = 1):
    return heavy(n)


@pipeline
def branches(n: int = 1):
    a = inc(n)
    with when(a > 2) as branch:
        b = inc(a)
        with when(b == 3):
            inc(b)
    with branch.otherwise():
        c = inc(a)
    return inc(one_of(b, c))


@pipeline
def branch_on_parameter(n: int = 1, wanted: str = "x"):
    with when((n > 2) & (wanted == "x")):
        inc(n)
    one()


@pipeline
def branch_on_two(n: int = 1):
    a, b = inc(n), inc(n)
    with when(a > b):
        inc(a)


@pipeline
def gate_from_inside(n: int = 1):
    """The second branch is steered by a task that may be skipped itself."""
    a = inc(n)
    with when(a > 2):
        b = inc(a)
    with when(b > 3):
        inc(b)


@pipeline
def around_a_branch(n: int = 1):
    """The task outside stands between two tasks of one branch."""
    a = inc(n)
    with when(a > 2):
        b = inc(a)
    outside = both(b, a)
    d = one()
    with when(d == 1):
        e = inc(one())
    after(outside, e)


@pipeline
def circle_of_branches(n: int = 1):
    a = inc(n)
    with when(a > 1):
        b = inc(a)
        c = inc(a)
    with when(a > 2):
        d = inc(b)
    after(c, d)


@pipeline
def static_map(n: int = 1):
    return total(map(inc, [n, 2, 3]))


@pipeline
def literal_map():
    return total(map(inc, [1, 2], concurrency=1))


@pipeline
def empty_map():
    return map(inc, [])


@pipeline
def dynamic_map(n: int = 3):
    return total(map(inc, numbers(n), concurrency=4))


@pipeline
def list_from_inside(n: int = 3):
    """The list comes from a task that may be skipped."""
    a = inc(n)
    with when(a > 1):
        xs = numbers(a)
    return map(inc, xs)


@pipeline
def nested_maps(n: int = 2):
    xs = numbers(n)

    def outer(x):
        ys = numbers(x)
        with when(x > 0):
            z = inc(x)

        def inner(y):
            return both(y, z)

        return map(inner, ys, concurrency=2), map(inner, xs)

    return map(outer, xs)


@pipeline
def map_in_branch(n: int = 2):
    xs = numbers(n)
    with when(n > 1):
        out = map(inc, xs)
    return total(out)


@pipeline
def with_exit(n: int = 2):
    a = inc(n)
    with when(a > 1):
        inc(a)
    on_exit(bye, n=n)


@pipeline
def map_over_parameter(xs: list[int]):
    return map(inc, xs)


@pipeline
def map_over_item(n: int = 2):
    return map(lambda row: map(inc, row), nested(n))


@pipeline
def map_over_map(n: int = 2):
    return map(inc, map(inc, numbers(n)))


@pipeline
def map_in_circle(n: int = 2):
    def body(x):
        return inc(x), inc(x)

    first, second = map(body, numbers(n))
    after(second, total(first))


@pipeline(on_failure="continue")
def goes_on(n: int = 2):
    return inc(n)


_sort = container_step(
    name="sort", image="alpine:3", command=["sh", "-c", "date"], args=[OutputPath("out")], outputs={"out": Path}
)


@pipeline
def container():
    return size(_sort())


WORKING = (
    chain, odd_names, parameters, settings, branches, branch_on_parameter, branch_on_two, gate_from_inside,
    around_a_branch, circle_of_branches, static_map, literal_map, empty_map, dynamic_map, list_from_inside,
    nested_maps, map_in_branch, map_over_parameter, map_over_item, map_over_map, with_exit,
)  # fmt: skip
