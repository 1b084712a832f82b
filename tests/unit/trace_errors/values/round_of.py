from crossdock import pipeline, step


@step
def count() -> float:
    return 3.5


@step
def show(rows: int) -> None:
    print(rows)


@pipeline
def report() -> None:
    show(round(count()))

# $ crossdock check round_of.py
# crossdock: round_of.py:16: plain Python cannot compute with the result of task 'count': it is known only when the pipeline runs [not-known-yet]
#   hint: compute in a step
