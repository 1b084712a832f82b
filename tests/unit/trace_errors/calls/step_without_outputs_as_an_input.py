from crossdock import pipeline, step


@step
def prepare() -> None:
    print("ready")


@step
def fit(rows: int) -> float:
    return 1.0


@pipeline
def training() -> None:
    fit(prepare())

# $ crossdock check step_without_outputs_as_an_input.py
# crossdock: step_without_outputs_as_an_input.py:16: input 'rows' of step 'fit' is given the result of task 'prepare', which returns nothing [bad-call]
#   hint: return the value from the step, annotated as such; to only order the two: after(…)
