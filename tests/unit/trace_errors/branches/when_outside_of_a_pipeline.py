from crossdock import pipeline, step, when


@step
def fit(rate: float) -> float:
    return rate


with when(fit(0.1) > 1):
    fit(0.1)


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check when_outside_of_a_pipeline.py
# crossdock: when_outside_of_a_pipeline.py:9: when(…) stands outside of a @pipeline function [outside-a-pipeline]
#   hint: move it into the pipeline
