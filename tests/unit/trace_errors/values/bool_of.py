from crossdock import pipeline, step


@step
def count() -> int:
    return 3


@step
def show(empty: bool) -> None:
    print(empty)


@pipeline
def report() -> None:
    show(bool(count()))

# $ crossdock check bool_of.py
# crossdock: bool_of.py:16: a plain Python if, while, and, or, not cannot see the result of task 'count': it is known only when the pipeline runs [not-known-yet]
#   hint: write `with when(value == …):`, and combine comparisons with &, | and ~
