from crossdock import pipeline, step, when


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    with when(1 > 0):
        fit(0.1)

# $ crossdock check constant_condition.py
# crossdock: constant_condition.py:11: True is known already: it compares no task's value and no parameter [bad-condition]
#   hint: use a plain `if` for what is known while the pipeline is traced
