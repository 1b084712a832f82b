from crossdock import map, pipeline, step


@step
def names() -> set[str]:
    return {"a", "b"}


@step
def work(name: str) -> int:
    return len(name)


@pipeline
def training() -> None:
    map(work, names())

# $ crossdock check over_a_task_s_set.py
# crossdock: over_a_task_s_set.py:16: map(…) goes over set[str] (the result of task 'names'), which is no list [bad-map]
#   hint: return a list[…] from the step, annotated as such
