from crossdock import pipeline, step, when


@step
def decide() -> None:
    print("yes")


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    with when(decide()):
        fit(0.1)

# $ crossdock check condition_on_a_step_without_outputs.py
# crossdock: condition_on_a_step_without_outputs.py:16: task 'decide' is no value to decide on [bad-condition]
#   hint: return a bool from the step
