from typing import NamedTuple

from crossdock import one_of, pipeline, step, when


class Split(NamedTuple):
    train: int
    test: int


@step
def split(rate: float) -> Split:
    return Split(1, 2)


@pipeline
def training(fast: bool = True) -> Split:
    with when(fast) as quick:
        a = split(0.1)
    with quick.otherwise():
        b = split(0.2)
    return one_of(a, b)

# $ crossdock check one_of_a_whole_task.py
# crossdock: one_of_a_whole_task.py:22: one_of(…) is given task 'split' with 2 outputs [bad-one-of]
#   hint: choose for each output: .train, .test
