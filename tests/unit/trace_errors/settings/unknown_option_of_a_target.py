from crossdock import pipeline, step


@step(targets={"kubeflow": {"node_selectr": {"pool": "gpu"}}})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check unknown_option_of_a_target.py --target kubeflow
# kubeflow: cannot run it
# - unknown_option_of_a_target.py:11: task 'fit': targets['kubeflow'] has no 'node_selectr'
#   hint: did you mean 'node_selector'? there is: node_selector, tolerations, labels, annotations, volumes, image_pull_policy, image_pull_secrets, cpu_limit, memory_limit, accelerator, retries
# exit code 1
