import json

from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    settings = json.loads("{rate: 1}")
    fit(settings["rate"])

# $ crossdock check exception_in_a_library.py
# crossdock: exception_in_a_library.py:13: pipeline 'training' raised JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1) [pipeline-raised]
#   hint: the pipeline function runs once, to see which steps it calls; what needs data belongs into a step
