from crossdock import pipeline, step


@step(targets={"kubeflw": {"pod_labels": {"team": "vision"}}})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check unknown_target.py
# local: cannot run it
# - unknown_target.py:11: task 'fit': targets names no flavor 'kubeflw'
#   hint: did you mean 'kubeflow'? there is: docker, kubeflow, local, vertex
# exit code 1
