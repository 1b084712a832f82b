from crossdock import pipeline, step, when


@step
def score() -> float:
    return 1.0


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    when(score() > 0.5)
    fit(0.1)

# $ crossdock check when_without_with.py
# crossdock: when_without_with.py:16: when(…) decides nothing without a `with` [bad-branch]
#   hint: write `with when(…):`, the steps indented below it
