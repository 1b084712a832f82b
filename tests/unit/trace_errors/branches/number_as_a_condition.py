from crossdock import pipeline, step, when


@step
def count() -> int:
    return 3


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    with when(count()):
        fit(0.1)

# $ crossdock check number_as_a_condition.py
# crossdock: number_as_a_condition.py:16: the result of task 'count' is of type int, which is neither true nor false [bad-condition]
#   hint: compare it: when(value == …)
