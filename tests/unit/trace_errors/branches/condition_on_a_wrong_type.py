from crossdock import pipeline, step, when


@step
def decide() -> str:
    return "yes"


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    with when(decide() > 3):
        fit(0.1)

# $ crossdock check condition_on_a_wrong_type.py
# crossdock: condition_on_a_wrong_type.py:16: when(…) compares str with int by > (the result of task 'decide') [bad-condition]
#   hint: compare values of one type
