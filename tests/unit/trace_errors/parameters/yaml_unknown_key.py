from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(rate: float = 0.1) -> None:
    fit(rate)

# $ crossdock run yaml_unknown_key.py --params yaml_unknown_key.yaml
# crossdock: yaml_unknown_key.yaml:2: pipeline 'training' has no parameter 'rtae' [unknown-parameter]
#   hint: did you mean 'rate'? there is: rate
