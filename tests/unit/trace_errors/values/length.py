from crossdock import pipeline, step


@step
def names() -> list[str]:
    return ["a"]


@step
def show(count: int) -> None:
    print(count)


@pipeline
def report() -> None:
    show(len(names()))

# $ crossdock check length.py
# crossdock: length.py:16: len() cannot measure the result of task 'names': it is known only when the pipeline runs [not-known-yet]
#   hint: take the length in a step
