from crossdock import Secret, pipeline, step


@step(env={"TOKEN": ""}, secrets={"TOKEN": Secret(env="TOKEN")})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check secret_in_the_environment_too.py
# crossdock: secret_in_the_environment_too.py:4: 'TOKEN' is in env and in secrets [bad-setting]
#   hint: leave it out of one of them
