from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(rate: float = 0.1) -> None:
    fit(rate)

# $ crossdock run yaml_syntax.py --params yaml_syntax.yaml
# crossdock: yaml_syntax.yaml:3: not YAML: expected ',' or ']', but got ':' [not-yaml]
#   hint: look at this line and the one before
