from crossdock import pipeline, step


@step(env=["THREADS=4"])
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check env_as_a_list.py
# crossdock: env_as_a_list.py:4: env=['THREADS=4'] is not a dict [bad-setting]
#   hint: write env={"MODE": "fast"}
