from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(rate: float = 0.1) -> None:
    fit(rate)

# $ crossdock run yaml_twice.py --params yaml_twice.yaml
# crossdock: yaml_twice.yaml:2: 'rate' is given twice, the first time in line 1 [duplicate-key]
#   hint: drop one of them
