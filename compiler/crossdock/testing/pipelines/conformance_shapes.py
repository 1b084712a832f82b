"""The shapes that a graph can have, with steps that only count."""

from __future__ import annotations

from crossdock import after, pipeline, step

SOME, MANY = 8, 200


@step
def start() -> int:
    return 1


@step
def double(value: int) -> int:
    return 2 * value


@step
def increase(value: int) -> int:
    return value + 1


@step
def add(left: int, right: int) -> int:
    return left + right


@step
def add_up(values: list[int]) -> int:
    return sum(values)


@step
def nothing() -> None:
    """Gives no output."""


@pipeline
def single() -> int:
    """One task."""
    return start()


@pipeline
def chain() -> int:
    """Each task waits for the one before."""
    return double(double(double(start())))


@pipeline
def fan_out() -> list[int]:
    """Several tasks wait for one."""
    first = start()
    return [double(first), add(first, 10), increase(first)]


@pipeline
def fan_in() -> int:
    """One task waits for several."""
    return add_up([start(), start(), start()])


@pipeline
def diamond() -> int:
    """Two ways from one task to another."""
    first = start()
    return add(double(first), add(first, 10))


@pipeline
def apart() -> None:
    """Tasks that have nothing to do with each other."""
    start()
    nothing()


@pipeline
def inner(value: int) -> int:
    """Called by others."""
    return increase(double(value))


@pipeline
def middle(value: int) -> int:
    """Calls another one, and is called."""
    return add(inner(value), inner(value))


@pipeline
def nested(value: int = 5) -> int:
    """Pipelines in pipelines; their tasks join the caller's."""
    return middle(inner(value))


@pipeline
def order() -> None:
    """Edges with no data between, in both directions of a fan."""
    first = nothing()
    left, right = after(start(), first), after(start(), first)
    after(nothing(), left, right)


@pipeline
def names() -> int:
    """Task ids that were chosen."""
    first = start.with_options(name="the-first")()
    return double.with_options(name="a1-B_2")(first)


@pipeline
def wide() -> int:
    """Many tasks beside each other."""
    first = start()
    return add_up([increase(first) for _ in range(SOME)])


@pipeline
def deep() -> int:
    """Many tasks behind each other."""
    value = start()
    for _ in range(SOME):
        value = increase(value)
    return value


@pipeline
def very_wide() -> int:
    """More tasks beside each other than any platform draws."""
    first = start()
    return add_up([increase(first) for _ in range(MANY)])


@pipeline
def very_deep() -> int:
    """More tasks behind each other than a recursion bears."""
    value = start()
    for _ in range(MANY):
        value = increase(value)
    return value
