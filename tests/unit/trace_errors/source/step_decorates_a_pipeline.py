from crossdock import pipeline, step


@step
@pipeline
def training() -> None:
    print("x")

# $ crossdock check step_decorates_a_pipeline.py
# crossdock: step_decorates_a_pipeline.py:4: @step decorates a plain function, not <Pipeline training> [bad-step]
#   hint: decorate a `def` with it
