from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@pipeline
def training() -> None:
    map(work, {"a", "b"})

# $ crossdock check over_a_set.py
# crossdock: over_a_set.py:11: map(…) goes over a set, which is no list [bad-map]
#   hint: a set has no order: write map(step, sorted(items))
