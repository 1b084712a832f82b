from crossdock import pipeline, step, when


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    with when():
        fit(0.1)

# $ crossdock check without_a_condition.py
# crossdock: without_a_condition.py:11: pipeline 'training' raised TypeError: when() missing 1 required positional argument: 'condition' [pipeline-raised]
#   hint: the pipeline function runs once, to see which steps it calls; what needs data belongs into a step
