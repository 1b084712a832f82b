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
    fit(split()[2])

# $ crossdock check unknown_output_by_number.py
# crossdock: unknown_output_by_number.py:23: the step of task 'split' never produces an output 2 [unknown-output]
#   hint: there is: train, test
