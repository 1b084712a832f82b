from dataclasses import dataclass

from crossdock import pipeline, step


@dataclass
class Score:
    rmse: float
    mae: float


@step
def score() -> Score:
    return Score(1.0, 2.0)


@step
def show(value: float) -> None:
    print(value)


@pipeline
def report() -> None:
    show(score().rmes)

# $ crossdock check field_that_is_not_there.py
# crossdock: field_that_is_not_there.py:24: the result of task 'score' is of type field_that_is_not_there.Score, which has no .rmes [unknown-field]
#   hint: did you mean 'rmse'? there is: rmse, mae
