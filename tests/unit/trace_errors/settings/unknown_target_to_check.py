from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check unknown_target_to_check.py --target kubflow
# crossdock: there is no orchestrator flavor 'kubflow' [unknown-flavor]
#   hint: did you mean 'kubeflow'? there is: docker, kubeflow, local, vertex
