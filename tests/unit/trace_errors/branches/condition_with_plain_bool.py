from crossdock import pipeline, step, when


@step
def score() -> float:
    return 1.0


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    with when((score() > 0.5) & True):
        fit(0.1)

# $ crossdock check condition_with_plain_bool.py
# crossdock: condition_with_plain_bool.py:16: True is known already: it compares no task's value and no parameter [bad-condition]
#   hint: use a plain `if` for what is known while the pipeline is traced
