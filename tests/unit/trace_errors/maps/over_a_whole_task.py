from typing import NamedTuple

from crossdock import map, pipeline, step


class Names(NamedTuple):
    shops: list[str]
    aisles: list[str]


@step
def names() -> Names:
    return Names([], [])


@step
def work(name: str) -> int:
    return 1


@pipeline
def training() -> None:
    map(work, names())

# $ crossdock check over_a_whole_task.py
# crossdock: over_a_whole_task.py:23: map(…) goes over task 'names', which is no list [bad-map]
#   hint: pick one of its outputs: .shops, .aisles
