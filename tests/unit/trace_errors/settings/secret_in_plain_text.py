from crossdock import pipeline, step


@step(secrets={"TOKEN": "hunter2"})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check secret_in_plain_text.py
# crossdock: secret_in_plain_text.py:4: the secret 'TOKEN' is given by its value, which would stand in the plan [bad-setting]
#   hint: write secrets={"TOKEN": Secret(env="TOKEN")}
