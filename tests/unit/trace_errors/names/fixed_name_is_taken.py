from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)
    fit.with_options(name="fit")(0.2)

# $ crossdock check fixed_name_is_taken.py
# crossdock: fixed_name_is_taken.py:12: two tasks are named 'fit'; the first is at fixed_name_is_taken.py:11 [name-taken]
#   hint: give one of them another name=
