from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(rate: float = 0.1) -> None:
    fit(rate)

# $ crossdock run no_equals_sign.py -p rate
# crossdock: -p 'rate' is not name=value [bad-parameter]
#   hint: -p rate=…
