from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit.with_options(name="slow fit!")(0.1)

# $ crossdock check not_a_name.py
# crossdock: not_a_name.py:11: 'slow fit!' is no task name [bad-name]
#   hint: take letters (a to z), digits, '-' and '_', at most 63 of them, the first a letter
