from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(rate=0.1) -> None:
    fit(rate)

# $ crossdock check without_a_type.py
# crossdock: without_a_type.py:9: pipeline parameter 'rate' has no type [bad-signature]
#   hint: annotate it, e.g. `rate: int`
