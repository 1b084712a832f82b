from crossdock import pipeline, step


@step(env={"MY-MODE": "fast"})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check env_name.py
# crossdock: env_name.py:4: 'MY-MODE' is not a name for env [bad-setting]
#   hint: letters, digits and '_': env={"MODE": "fast"}
