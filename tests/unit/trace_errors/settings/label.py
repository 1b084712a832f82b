from crossdock import pipeline, step


@step(labels={"team name": "vision"})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check label.py
# crossdock: label.py:4: 'team name' is not a name for labels [bad-setting]
#   hint: letters, digits, '-', '_', '.' and '/': labels={"team": "vision"}
