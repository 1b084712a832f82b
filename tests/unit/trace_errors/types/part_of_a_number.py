from crossdock import pipeline, step


@step
def count() -> int:
    return 3


@step
def show(value: int) -> None:
    print(value)


@pipeline
def report() -> None:
    show(count()[0])

# $ crossdock check part_of_a_number.py
# crossdock: part_of_a_number.py:16: the result of task 'count' is of type int, which has no [0] [unknown-field]
#   hint: return a dataclass, a dict or a list from the step, or take it apart in a step
