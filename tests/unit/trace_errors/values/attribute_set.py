from dataclasses import dataclass

from crossdock import pipeline, step


@dataclass
class Score:
    rmse: float


@step
def score() -> Score:
    return Score(1.0)


@step
def show(score: Score) -> None:
    print(score)


@pipeline
def report() -> None:
    result = score()
    result.rmse = 0.5
    show(result)

# $ crossdock check attribute_set.py
# crossdock: attribute_set.py:24: an assignment cannot change the result of task 'score': it is known only when the pipeline runs [not-known-yet]
#   hint: return the changed value from a step
