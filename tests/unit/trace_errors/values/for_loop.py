from crossdock import pipeline, step


@step
def names() -> list[str]:
    return ["a", "b"]


@step
def work(name: str) -> int:
    return len(name)


@pipeline
def all_of_them() -> None:
    for name in names():
        work(name)

# $ crossdock check for_loop.py
# crossdock: for_loop.py:16: a plain Python loop cannot go over the result of task 'names': it is known only when the pipeline runs [not-known-yet]
#   hint: write `map(step, values)`, or loop in a step
