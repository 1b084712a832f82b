from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline(on_failure="ignore")
def training() -> None:
    fit(0.1)

# $ crossdock check on_failure.py
# crossdock: on_failure.py:9: on_failure='ignore' is no way to go on after a failure [bad-setting]
#   hint: write "stop", which starts no further task, or "continue", which runs what does not depend on it
