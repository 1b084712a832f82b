from crossdock import pipeline, step


@step
def load() -> str:
    return "a"


@step
def fit(rows: int) -> float:
    return 1.0


@pipeline
def training(rows: int) -> None:
    fit(rows)


@pipeline
def everything() -> None:
    training(load())

# $ crossdock check pipeline_argument_of_a_wrong_type.py
# crossdock: pipeline_argument_of_a_wrong_type.py:21: parameter 'rows' of pipeline 'training' takes int, but gets str (the result of task 'load') [wrong-type]
#   hint: change one of the two annotations, or convert in a step between
