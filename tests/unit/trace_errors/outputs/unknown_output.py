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
    fit(split().trian)

# $ crossdock check unknown_output.py
# crossdock: unknown_output.py:23: the step of task 'split' never produces an output 'trian' [unknown-output]
#   hint: did you mean 'train'? there is: train, test
