from crossdock import pipeline, step


@step(requirements="pandas")
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check requirements_as_a_text.py
# crossdock: requirements_as_a_text.py:4: requirements='pandas' is not a list [bad-setting]
#   hint: write requirements=['pandas']
