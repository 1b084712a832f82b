from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(crossdock_run: str = "") -> None:
    fit(0.1)

# $ crossdock check our_own_name.py
# crossdock: our_own_name.py:9: 'crossdock_run' is a parameter of Crossdock's own [bad-signature]
#   hint: take another name
