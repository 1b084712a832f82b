from crossdock import pipeline, step


@step
def fit(rows: int) -> float:
    return 1.0


@pipeline
def training(rows: int) -> None:
    fit(rows)


@pipeline
def everything() -> None:
    training()

# $ crossdock check pipeline_missing_argument.py
# crossdock: pipeline_missing_argument.py:16: pipeline 'training' is called wrongly: missing a required argument: 'rows' [bad-call]
#   hint: training(rows=…)
