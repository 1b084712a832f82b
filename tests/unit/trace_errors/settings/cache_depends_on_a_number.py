from crossdock import Cache, pipeline, step


@step(cache=Cache(depends_on=3))
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check cache_depends_on_a_number.py
# crossdock: cache_depends_on_a_number.py:4: depends_on=3 is neither a text nor a Path [bad-setting]
#   hint: write depends_on=("3",), or (Path("…"),) for the contents of a file
