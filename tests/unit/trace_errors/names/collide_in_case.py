from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit.with_options(name="Slow")(0.1)
    fit.with_options(name="slow")(0.2)

# $ crossdock check collide_in_case.py
# crossdock: collide_in_case.py:12: two tasks are named 'Slow' and 'slow', which are one label; the first is at collide_in_case.py:11 [name-taken]
#   hint: give one of them another name=
