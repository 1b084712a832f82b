from crossdock import pipeline, step


@step(retries=3)
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check unknown_setting.py
# crossdock: unknown_setting.py:4: there is no setting 'retries' [unknown-setting]
#   hint: did you mean 'retry'? there is: resources, retry, timeout, cache, image, requirements, env, secrets, labels, targets
