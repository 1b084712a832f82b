from crossdock import pipeline, step


@step
def fit(rate: float, rows: int) -> float:
    return rate


@pipeline
def training(rate: float, rows: int) -> None:
    fit(rate, rows)

# $ crossdock run missing.py
# crossdock: parameters of pipeline 'training': 2 problems [bad-input]
# - parameter 'rate' (float) has no value [missing-parameter]
#   hint: -p rate=0.5
# - parameter 'rows' (int) has no value [missing-parameter]
#   hint: -p rows=10
