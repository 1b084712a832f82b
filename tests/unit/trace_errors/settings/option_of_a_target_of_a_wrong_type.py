from crossdock import pipeline, step


@step(targets={"kubeflow": {"node_selector": "gpu"}})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check option_of_a_target_of_a_wrong_type.py --target kubeflow
# kubeflow: cannot run it
# - option_of_a_target_of_a_wrong_type.py:11: task 'fit': targets['kubeflow'] takes another 'node_selector': Input should be a valid dictionary
#   hint: change node_selector
# exit code 1
