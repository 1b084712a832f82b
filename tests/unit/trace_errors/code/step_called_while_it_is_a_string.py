from crossdock import pipeline, step


@step("fit")
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check step_called_while_it_is_a_string.py
# crossdock: step_called_while_it_is_a_string.py:4: @step decorates a plain function, not 'fit' [bad-step]
#   hint: options are given by name: @step(name="…")
