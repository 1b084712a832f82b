import threading

from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> threading.Thread:
    fit(0.1)
    return threading.Thread()

# $ crossdock check pipeline_returns_an_object.py
# crossdock: pipeline_returns_an_object.py:11: the pipeline's output 'output' is given a Thread, which cannot be written into a plan: threading.Thread is not a value type [not-a-value]
#   hint: make it in a step; data that exist already come in by Artifact.from_uri(…)
