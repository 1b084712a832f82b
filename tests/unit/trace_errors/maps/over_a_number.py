from crossdock import map, pipeline, step


@step
def count() -> int:
    return 3


@step
def work(number: int) -> int:
    return number


@pipeline
def training() -> None:
    map(work, count())

# $ crossdock check over_a_number.py
# crossdock: over_a_number.py:16: map(…) goes over int (the result of task 'count'), which is no list [bad-map]
#   hint: return a list[…] from the step, annotated as such
