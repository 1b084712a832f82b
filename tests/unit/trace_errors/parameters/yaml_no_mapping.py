from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(rate: float = 0.1) -> None:
    fit(rate)

# $ crossdock run yaml_no_mapping.py --params yaml_no_mapping.yaml
# crossdock: yaml_no_mapping.yaml: parameters are names with their values [bad-parameters-file]
#   hint: write lines such as `rows: 1000`
