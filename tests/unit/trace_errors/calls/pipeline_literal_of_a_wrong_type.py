from crossdock import pipeline, step


@step
def fit(rows: int) -> float:
    return 1.0


@pipeline
def training(rows: int) -> None:
    fit(rows)


@pipeline
def everything() -> None:
    training("many")

# $ crossdock check pipeline_literal_of_a_wrong_type.py
# crossdock: pipeline_literal_of_a_wrong_type.py:16: parameter 'rows' of pipeline 'training' takes int, not 'many' (str) [wrong-type]
#   hint: change the value or the annotation
