from crossdock import pipeline, step


@step
def count() -> int:
    return 3


@step
def show(rows: int) -> None:
    print(rows)


@pipeline
def report() -> None:
    show(count() + 1)

# $ crossdock check arithmetic.py
# crossdock: arithmetic.py:16: plain Python cannot compute with the result of task 'count': it is known only when the pipeline runs [not-known-yet]
#   hint: compute in a step
