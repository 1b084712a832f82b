from typing import NamedTuple

from crossdock import pipeline, step


class Split(NamedTuple):
    train: int
    test: int


@step
def split() -> Split:
    return Split(1, 2)


@step
def fit(rows: int) -> float:
    return 1.0


@pipeline
def training() -> None:
    fit(split())

# $ crossdock check whole_task_as_an_input.py
# crossdock: whole_task_as_an_input.py:23: input 'rows' of step 'fit' is given all 2 outputs of task 'split' [bad-call]
#   hint: pick one of them: .train, .test
