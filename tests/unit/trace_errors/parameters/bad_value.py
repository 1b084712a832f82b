from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(rate: float = 0.1) -> None:
    fit(rate)

# $ crossdock run bad_value.py -p rate=fast
# crossdock: parameter 'rate' takes float, not 'fast' [bad-parameter]
#   hint: -p rate=0.5
