from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check unknown_pipeline.py:trainig
# crossdock: unknown_pipeline.py:trainig: no pipeline 'trainig' [unknown-pipeline]
#   hint: did you mean 'training'? there is: training
