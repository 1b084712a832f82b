from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(**rates: float) -> None:
    fit(0.1)

# $ crossdock check star.py
# crossdock: star.py:9: pipeline 'training' takes **rates: float, but its parameters are given by their names [bad-signature]
#   hint: write one parameter for each value: rates: int = 0
