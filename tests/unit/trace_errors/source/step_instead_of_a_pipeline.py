from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check step_instead_of_a_pipeline.py:fit
# crossdock: step_instead_of_a_pipeline.py:fit: 'fit' in step_instead_of_a_pipeline is not a pipeline [unknown-pipeline]
#   hint: there is: training
