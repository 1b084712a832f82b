from crossdock import Retry, pipeline, step


@step(retry=Retry(max_attempts=-1))
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check negative_retries.py
# crossdock: negative_retries.py:4: max_attempts=-1 is not a count of attempts [bad-setting]
#   hint: write 1 or more
