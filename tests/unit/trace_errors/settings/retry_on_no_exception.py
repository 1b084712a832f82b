from crossdock import Retry, pipeline, step


@step(retry=Retry(on=404))
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check retry_on_no_exception.py
# crossdock: retry_on_no_exception.py:4: on=404 is not an exception class, and not the name of one [bad-setting]
#   hint: write on=(ConnectionError,), or on=("requests.Timeout",) for one that is not imported here
