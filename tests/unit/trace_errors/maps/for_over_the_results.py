from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@step
def show(size: int) -> None:
    print(size)


@pipeline
def training() -> None:
    for size in map(work, ["a", "b"]):
        show(size)

# $ crossdock check for_over_the_results.py
# crossdock: for_over_the_results.py:16: a plain Python loop cannot go over the result of task 'work', for each item of its map: it is known only when the pipeline runs [not-known-yet]
#   hint: write `map(step, values)`, or loop in a step
