from crossdock import pipeline, step


@step
def count() -> float:
    return 3.5


@step
def show(rows: int) -> None:
    print(rows)


@pipeline
def report() -> None:
    show(int(count()))

# $ crossdock check int_of.py
# crossdock: int_of.py:16: plain Python cannot convert the result of task 'count': it is known only when the pipeline runs [not-known-yet]
#   hint: convert it in a step
