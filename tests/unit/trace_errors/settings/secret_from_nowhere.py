from crossdock import Secret, pipeline, step


@step(secrets={"TOKEN": Secret(vault="ci/token")})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check secret_from_nowhere.py
# crossdock: secret_from_nowhere.py:4: no secrets come from 'vault' [bad-setting]
#   hint: there is: env, keyring, kubernetes, aws, gcp, azure
