from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit.with_options(name="slow")(0.1)
    fit.with_options(name="slow")(0.2)

# $ crossdock check two_tasks_of_one_name.py
# crossdock: two_tasks_of_one_name.py:12: two tasks are named 'slow'; the first is at two_tasks_of_one_name.py:11 [name-taken]
#   hint: give one of them another name=
