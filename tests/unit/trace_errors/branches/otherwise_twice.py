from crossdock import pipeline, step, when


@step
def score() -> float:
    return 1.0


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    with when(score() > 0.5) as good:
        fit(0.1)
    with good.otherwise():
        fit(0.2)
    with good.otherwise():
        fit(0.3)

# $ crossdock check otherwise_twice.py
# crossdock: otherwise_twice.py:20: this when(…) has an else branch already [bad-branch]
#   hint: put the steps into that branch
