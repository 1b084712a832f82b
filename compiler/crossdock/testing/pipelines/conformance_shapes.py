"""The shapes that a graph can have, with steps that only count."""

from __future__ import annotations

from crossdock import map, pipeline, step, when


@step
def start() -> int:
    return 1


@step
def double(value: int) -> int:
    return 2 * value


@step
def add(left: int, right: int) -> int:
    return left + right


@step
def add_up(values: list[int]) -> int:
    return sum(values)


@step
def numbers(count: int) -> list[int]:
    return list(range(count))


@step
def tell(text: str) -> str:
    return text


@pipeline
def single() -> int:
    """One task."""
    return start()


@pipeline
def chain() -> int:
    """Each task waits for the one before."""
    value = start()
    for _ in range(3):
        value = double(value)
    return value


@pipeline
def diamond() -> int:
    """Two ways from one task to another."""
    first = start()
    return add(double(first), add(first, 10))


@pipeline
def dynamic_map(count: int = 3) -> int:
    """As many tasks as another task says."""
    return add_up(map(double, numbers(count)))


@pipeline
def condition(limit: int = 2) -> None:
    """One branch or the other."""
    value = double(start())
    with when(value >= limit) as enough:
        tell("enough")
    with enough.otherwise():
        tell("too little")
