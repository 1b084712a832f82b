from crossdock import pipeline, step


@step(env={"CROSSDOCK_RUN": "mine"})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check env_of_our_own.py
# crossdock: env_of_our_own.py:4: 'CROSSDOCK_RUN' in env is a variable of Crossdock's own [bad-setting]
#   hint: take a name without CROSSDOCK_
