from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit.with_options(name="slow_fit")(0.1)
    fit.with_options(name="slow-fit")(0.2)

# $ crossdock check collide_after_sanitising.py
# crossdock: collide_after_sanitising.py:12: two tasks are named 'slow_fit' and 'slow-fit', which are one label; the first is at collide_after_sanitising.py:11 [name-taken]
#   hint: give one of them another name=
