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
    with when(load()):
        fit(0.1)

# $ crossdock check artifact_as_a_condition.py
# crossdock: artifact_as_a_condition.py:18: the result of task 'load' is of type pathlib.Path, which is neither true nor false [bad-condition]
#   hint: return a bool or a number from the step, annotated as such
