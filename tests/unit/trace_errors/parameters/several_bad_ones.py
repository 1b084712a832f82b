from crossdock import pipeline, step


@step
def fit(rate: float, rows: int, name: str) -> float:
    return rate


@pipeline
def training(name: str, rate: float = 0.1, rows: int = 3) -> None:
    fit(rate, rows, name)

# $ crossdock run several_bad_ones.py -p rate=fast -p rows=1.5 -p colour=red
# crossdock: parameters of pipeline 'training': 4 problems [bad-input]
# - pipeline 'training' has no parameter 'colour' [unknown-parameter]
#   hint: there is: name, rate, rows
# - parameter 'name' (str) has no value [missing-parameter]
#   hint: -p name=text
# - parameter 'rate' takes float, not 'fast' [bad-parameter]
#   hint: -p rate=0.5
# - parameter 'rows' takes int, not '1.5' [bad-parameter]
#   hint: -p rows=10
