from crossdock import pipeline, step


@step(cache="never")
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check cache_as_a_text.py
# crossdock: cache_as_a_text.py:4: cache='never' is not a Cache [bad-setting]
#   hint: write cache=False or cache=Cache(…)
