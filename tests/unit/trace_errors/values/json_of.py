import json

from crossdock import pipeline, step


@step
def rates() -> dict[str, float]:
    return {}


@step
def show(text: str) -> None:
    print(text)


@pipeline
def report() -> None:
    show(json.dumps(rates()))

# $ crossdock check json_of.py
# crossdock: json_of.py:18: pipeline 'report' raised TypeError: Object of type Ref is not JSON serializable [pipeline-raised]
#   hint: the pipeline function runs once, to see which steps it calls; what needs data belongs into a step
