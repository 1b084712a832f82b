from crossdock import Cache, pipeline, step


@step(cache=Cache(expires="next week"))
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check cache_expires.py
# crossdock: cache_expires.py:4: expires='next week' is not a duration [bad-setting]
#   hint: write expires=90 (seconds) or "1h30m"
