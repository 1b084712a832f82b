from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)


@pipeline
def tuning() -> None:
    fit(0.2)

# $ crossdock check two_pipelines.py
# crossdock: two_pipelines.py has 2 pipelines: training, tuning [several-pipelines]
#   hint: write two_pipelines.py:training
