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

# $ crossdock check otherwise_inside_its_when.py
# crossdock: otherwise_inside_its_when.py:18: otherwise() stands in another block than its when(…) [bad-branch]
#   hint: put `with name.otherwise():` below the `with when(…) as name:`, indented as far
