from crossdock import Retry, pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline(settings={"retry": Retry(3)})
def training() -> None:
    fit(0.1)

# $ crossdock check settings_as_a_dict.py
# crossdock: settings_as_a_dict.py:9: settings={'retry': Retry(max_attempts=3, delay=0.0, backoff=2.0, on=())} is not a Settings [bad-setting]
#   hint: write settings=Settings(retry=Retry(3), …)
