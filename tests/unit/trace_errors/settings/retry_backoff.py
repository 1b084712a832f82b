from crossdock import Retry, pipeline, step


@step(retry=Retry(backoff="fast"))
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check retry_backoff.py
# crossdock: retry_backoff.py:4: backoff='fast' is not a factor [bad-setting]
#   hint: write backoff=2.0
