"""Maps: over what the pipeline says and over what a task returns, empty, in each other, with conditions inside."""

from __future__ import annotations

from typing import Annotated, Any

from crossdock import map, one_of, pipeline, step, when


@step
def numbers(count: int) -> list[int]:
    return list(range(count))


@step
def rows(count: int) -> list[list[int]]:
    return [list(range(row + 1)) for row in range(count)]


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
def add_all(values: list[list[int]]) -> list[int]:
    return [sum(inner) for inner in values]


@step
def split(value: int) -> tuple[Annotated[int, "half"], Annotated[bool, "odd"]]:
    return value // 2, value % 2 == 1


@step
def count_odd(flags: list[bool]) -> int:
    return sum(flags)


@step
def tell(text: str) -> str:
    return text


@step
def look(item: dict[str, Any]) -> str:
    return f"{item['name']}={item['size']!r}"


@step
def fail_on(value: int, bad: int) -> int:
    if value == bad:
        raise ValueError(f"{value} is bad")
    return value


@pipeline
def static_map() -> int:
    """Over a list that stands in the pipeline."""
    return add_up(map(double, [3, 4, 5]))


@pipeline
def static_records() -> None:
    """Items with fields, and texts that a platform might take for its own."""
    records: list[dict[str, Any]] = [
        {"name": "a,b", "size": 1.5},
        {"name": '"', "size": None},
        {"name": "{{item}}", "size": True},
    ]
    map(look, records)


@pipeline
def dynamic_map(count: int = 3) -> int:
    """As many tasks as another task says."""
    return add_up(map(double, numbers(count)))


@pipeline
def empty_maps() -> int:
    """No items: nothing runs, and the collected list is empty."""
    return add(add_up(map(double, numbers(0))), add_up(map(double, [])))


@pipeline
def long_body() -> int:
    """A chain for each item; the second task of an item reads the first task of the same item."""
    return add_up(map(lambda value: add(double(value), value), numbers(3)))


@pipeline
def named_results() -> int:
    """What each item gives has several parts, and each is collected."""
    parts = map(split, numbers(4))
    return add(add_up(parts.half), count_odd(parts.odd))


@pipeline
def limited() -> int:
    """At most two items at once."""
    return add_up(map(double, numbers(5), concurrency=2))


@pipeline
def map_of_map() -> list[int]:
    """A literal list in a dynamic one: per outer item, a list."""
    return add_all(map(lambda left: map(lambda right: add(left, right), [10, 20]), numbers(2)))


@pipeline
def map_of_dynamic_map() -> list[int]:
    """In each outer item a task says how many inner items there are, and it is another number each time."""
    return add_all(map(lambda count: map(double, numbers(count)), numbers(3)))


@pipeline
def condition_in_map() -> int:
    """Each item decides for itself; what was skipped is not collected."""

    def body(value: Any) -> Any:
        twice = double(value)
        with when(twice > 2):
            kept = add(twice, 100)
        return kept  # noqa: RET504 - after the branch, not in it

    return add_up(map(body, numbers(4)))


@pipeline
def either_in_map() -> int:
    """Each item takes one branch or the other."""

    def body(value: Any) -> Any:
        with when(value > 1) as large:
            more = double(value)
        with large.otherwise():
            same = add(value, 0)
        return add(one_of(more, same), 1)

    return add_up(map(body, numbers(4)))


@pipeline
def condition_on_map() -> None:
    """A condition on what was made of a map's results."""
    total = add_up(map(double, numbers(3)))
    with when(total == 6) as six:
        tell("six")
    with six.otherwise():
        tell("not six")


@pipeline
def condition_on_list() -> None:
    """A condition on the collected list itself."""
    doubled = map(double, numbers(3))
    with when(doubled == [0, 2, 4]):
        tell("as expected")
    with when(doubled == []):
        tell("empty")


@pipeline
def map_in_branch(wanted: bool = False) -> int | None:
    """A map that runs, or does not, with its list."""
    with when(wanted):
        total = add_up(map(double, numbers(2)))
    return total  # noqa: RET504 - after the branch, not in it


@pipeline
def map_of_skipped(wanted: bool = False) -> int:
    """A map over a list that may be skipped."""
    with when(wanted):
        listed = numbers(2)
    return add_up(map(double, listed))


@pipeline(on_failure="continue")
def bad_item() -> int:
    """One item fails, the others do not, and nothing is collected."""
    return add_up(map(lambda value: fail_on(value, 1), numbers(3)))


@step
def no_numbers(count: int) -> list[int]:
    raise ValueError("no numbers")


@pipeline(on_failure="continue")
def map_of_failed() -> int:
    """Nobody knows how many items there are."""
    return add_up(map(double, no_numbers(3)))


@pipeline
def map_of_parameter(values: list[int] = [1, 2]) -> int:  # noqa: B006 - a default in a pipeline is data
    """Over a list that whoever starts the run gives."""
    return add_up(map(double, values))


@pipeline
def map_of_collected() -> int:
    """Over what another map collected."""
    return add_up(map(double, map(double, [1, 2])))


@pipeline
def map_of_items() -> list[int]:
    """A map over each item of a map, which is a list itself."""
    return add_all(map(lambda row: map(double, row), rows(2)))
