from pathlib import Path

from crossdock import pipeline, step, when


@step
def load() -> Path:
    return Path("data")


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    with when(load() == Path("data")):
        fit(0.1)

# $ crossdock check condition_on_an_artifact.py
# crossdock: condition_on_an_artifact.py:18: when(…) compares the result of task 'load' (pathlib.Path), which is an artifact [bad-condition]
#   hint: return a number, a text or a bool from the step, annotated as such, and compare that
