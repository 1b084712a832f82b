from crossdock import pipeline, step


@step(timeout="five minutes")
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check timeout_that_is_no_duration.py
# crossdock: timeout_that_is_no_duration.py:4: timeout='five minutes' is not a duration [bad-setting]
#   hint: write timeout=90 (seconds) or "1h30m"
