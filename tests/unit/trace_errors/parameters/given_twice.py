from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(rate: float = 0.1) -> None:
    fit(rate)

# $ crossdock run given_twice.py -p rate=0.1 -p rate=0.2
# crossdock: -p rate is given twice [duplicate-parameter]
#   hint: drop one of them: -p rate=0.2
