from crossdock import on_exit, pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@step
def tell() -> None:
    print("done")


@pipeline
def training() -> None:
    fit(0.1)
    on_exit(tell())

# $ crossdock check called_already.py
# crossdock: called_already.py:17: on_exit(…) is given <Task tell>, which is no Python step [bad-exit-step]
#   hint: give it the step itself, not called: on_exit(step)
