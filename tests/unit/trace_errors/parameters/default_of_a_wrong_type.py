from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(rate: float = "slow") -> None:
    fit(rate)

# $ crossdock check default_of_a_wrong_type.py
# crossdock: default_of_a_wrong_type.py:9: the default 'slow' of parameter 'rate' is no float [bad-signature]
#   hint: change the default or the annotation
