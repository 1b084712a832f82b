from crossdock import pipeline, step

MODELS = ["linear", "boosted"]


@step
def best() -> int:
    return 1


@step
def show(model: str) -> None:
    print(model)


@pipeline
def report() -> None:
    show(MODELS[best()])

# $ crossdock check as_an_index.py
# crossdock: as_an_index.py:18: an index, a range or a count cannot be the result of task 'best': it is known only when the pipeline runs [not-known-yet]
#   hint: index or count in a step, or write `map(step, values)`
