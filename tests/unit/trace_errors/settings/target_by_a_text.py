from crossdock import pipeline, step


@step(targets={"kubeflow": "fast"})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check target_by_a_text.py
# crossdock: target_by_a_text.py:11: targets['kubeflow']='fast' is neither a dict nor the target's model [bad-setting]
#   hint: write targets={"kubeflow": {…}}
