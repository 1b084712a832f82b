from crossdock import map, pipeline, step


@step
def names() -> None:
    print("a")


@step
def work(name: str) -> int:
    return 1


@pipeline
def training() -> None:
    map(work, names())

# $ crossdock check over_a_step_without_outputs.py
# crossdock: over_a_step_without_outputs.py:16: map(…) goes over task 'names', which is no list [bad-map]
#   hint: return a list[…] from the step, annotated as such
