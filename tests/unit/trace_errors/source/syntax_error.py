from crossdock import pipeline, step


@step
def fit(rate: float) -> float
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check syntax_error.py
# crossdock: syntax_error.py:5: SyntaxError: expected ':' [import-failed]
#   hint: look at: def fit(rate: float) -> float
