from crossdock import pipeline, step


@pipeline
@step
def fit(rate: float) -> float:
    return rate

# $ crossdock check pipeline_decorates_a_step.py
# crossdock: pipeline_decorates_a_step.py:4: @pipeline decorates a plain function, not <Step fit> [bad-step]
#   hint: decorate a `def` that calls steps
