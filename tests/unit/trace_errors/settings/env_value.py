from crossdock import pipeline, step


@step(env={"THREADS": 4})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check env_value.py
# crossdock: env_value.py:4: env['THREADS']=4 is not a text [bad-setting]
#   hint: write env={"THREADS": "4"}
