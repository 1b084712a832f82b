import json

from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


def rate_of(text: str) -> float:
    return json.loads(text)["rate"]


@pipeline
def training() -> None:
    fit(rate_of('{"speed": 1}'))

# $ crossdock check exception_in_the_pipeline.py
# crossdock: exception_in_the_pipeline.py:12: pipeline 'training' raised KeyError: 'rate' [pipeline-raised]
#   hint: the pipeline function runs once, to see which steps it calls; what needs data belongs into a step
