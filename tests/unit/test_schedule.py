"""The order in which a plan's tasks may start."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock import map, pipeline, step
from crossdock.dsl.pipeline import Pipeline
from crossdock.passes import compile_pipeline
from crossdock_runtime.bindings import Literal
from crossdock_runtime.contract import Plan, Task
from crossdock_runtime.record import Index
from crossdock_runtime.schedule import Schedule


@step
def first(item: int) -> int:
    return item


@step
def second(item: int) -> int:
    return item


@step
def total(items: list[int]) -> int:
    return sum(items)


@pipeline
def two_stages() -> None:
    total(map(lambda item: second(first(item)), [1, 2, 3]))


@pipeline
def limited() -> None:
    total(map(lambda item: second(first(item)), [1, 2, 3, 4, 5], concurrency=2))


@pipeline
def nested() -> None:
    rows = map(lambda row: total(map(lambda cell: first(cell), row, concurrency=1)), [[1, 2], [], [3]], concurrency=2)
    total(rows)


def plan_of(pipeline: Pipeline[..., object]) -> Plan:
    return compile_pipeline(pipeline).plan


def schedule_of(plan: Plan) -> Schedule:
    def expand(task: Task, index: Index) -> int:
        scope = plan.maps_of(task.scope)[len(index)]
        if isinstance(scope.items, Literal):
            return len(scope.items.value)
        return (2, 0, 1)[index[0]]

    return Schedule(plan, expand)


def names(units: list[tuple[Task, Index]]) -> list[str]:
    return [".".join([task.id, *(str(number) for number in index)]) for task, index in units]


def drain(schedule: Schedule) -> list[tuple[Task, Index]]:
    found = []
    while (unit := schedule.next()) is not None:
        found.append(unit)
    return found


def in_order(schedule: Schedule) -> list[tuple[Task, Index]]:
    found = []
    while (unit := schedule.next()) is not None:
        found.append(unit)
        schedule.done(*unit)
    return found


def test_an_item_goes_on_without_waiting_for_the_others() -> None:
    schedule = schedule_of(plan_of(two_stages))
    (task, index), *_ = drain(schedule)
    schedule.done(task, index)
    assert names(drain(schedule)) == ["second.0"]


def test_alone_it_goes_depth_first_in_the_order_of_the_plan() -> None:
    order = in_order(schedule_of(plan_of(two_stages)))
    assert names(order) == ["first.0", "second.0", "first.1", "second.1", "first.2", "second.2", "total"]


def test_no_more_items_than_the_map_allows() -> None:
    schedule = schedule_of(plan_of(limited))
    start = drain(schedule)
    assert names(start) == ["first.0", "first.1"]
    schedule.done(*start[0])
    more = drain(schedule)
    assert names(more) == ["second.0"]
    schedule.done(*more[0])
    assert names(drain(schedule)) == ["first.2"]


@pytest.mark.parametrize("pipeline", [two_stages, limited, nested], ids=lambda found: found.name)
@given(data=st.data())
def test_every_unit_starts_once_after_what_it_needs(pipeline: Pipeline[..., object], data: st.DataObject) -> None:
    plan = plan_of(pipeline)
    everything = in_order(schedule_of(plan))
    schedule = schedule_of(plan)
    running: list[tuple[Task, Index]] = []
    done: list[tuple[Task, Index]] = []
    while True:
        running += drain(schedule)
        if not running:
            break
        task, index = running.pop(data.draw(st.integers(0, len(running) - 1)))
        for name in plan.upstream(task):
            shared = plan.shared_maps(plan.by_id[name].scope, task.scope)
            needed = [unit for unit in everything if unit[0].id == name and unit[1][:shared] == index[:shared]]
            assert all(unit in done for unit in needed)
        done.append((task, index))
        schedule.done(task, index)
    assert sorted(names(done)) == sorted(names(everything))
    assert len(everything) == {"two-stages": 7, "limited": 11, "nested": 7}[pipeline.name]
