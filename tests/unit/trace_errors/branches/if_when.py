from crossdock import pipeline, step, when


@step
def score() -> float:
    return 1.0


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    if when(score() > 0.5):
        fit(0.1)

# $ crossdock check if_when.py
# crossdock: if_when.py:16: when(…) is no value to decide on now [bad-branch]
#   hint: write `with when(…):`
