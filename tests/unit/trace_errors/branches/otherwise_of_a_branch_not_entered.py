from crossdock import pipeline, step, when


@step
def score() -> float:
    return 1.0


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    good = when(score() > 0.5)
    with good.otherwise():
        fit(0.1)

# $ crossdock check otherwise_of_a_branch_not_entered.py
# crossdock: otherwise_of_a_branch_not_entered.py:17: otherwise() comes before its when(…) was entered [bad-branch]
#   hint: write `with when(…) as name:`, and below it `with name.otherwise():`
