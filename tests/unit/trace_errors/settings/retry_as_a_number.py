from crossdock import pipeline, step


@step(retry=3)
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check retry_as_a_number.py
# crossdock: retry_as_a_number.py:4: retry=3 is not a Retry [bad-setting]
#   hint: write retry=Retry(…)
