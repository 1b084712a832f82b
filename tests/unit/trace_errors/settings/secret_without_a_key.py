from crossdock import Secret, pipeline, step


@step(secrets={"TOKEN": Secret(kubernetes="token")})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check secret_without_a_key.py
# crossdock: secret_without_a_key.py:4: Secret(kubernetes='token') lacks a key [bad-setting]
#   hint: write Secret(kubernetes="name/key")
