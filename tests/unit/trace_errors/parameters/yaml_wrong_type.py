from crossdock import pipeline, step


@step
def fit(rate: float, rows: int) -> float:
    return rate


@pipeline
def training(rate: float = 0.1, rows: int = 10) -> None:
    fit(rate, rows)

# $ crossdock run yaml_wrong_type.py --params yaml_wrong_type.yaml
# crossdock: yaml_wrong_type.yaml:2: parameter 'rows' takes int, not 'many' (str) [bad-parameter]
#   hint: write rows: 10
