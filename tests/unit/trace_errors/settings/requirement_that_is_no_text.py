from crossdock import pipeline, step


@step(requirements=["pandas", 2])
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check requirement_that_is_no_text.py
# crossdock: requirement_that_is_no_text.py:4: 2 in requirements is not a text [bad-setting]
#   hint: write requirements=["pandas>=2"]
