from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(rate: float = 0.1) -> None:
    fit(rate)

# $ crossdock run yaml_missing.py --params settings.yaml
# crossdock: 'settings.yaml' cannot be read: No such file or directory [unreadable-file]
#   hint: --params FILE.yaml
