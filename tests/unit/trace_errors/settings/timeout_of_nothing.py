from crossdock import pipeline, step


@step(timeout=0)
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check timeout_of_nothing.py
# crossdock: timeout_of_nothing.py:4: timeout=0 would end every attempt at once [bad-setting]
#   hint: write timeout="1h", or leave it out
