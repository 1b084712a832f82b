from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline(name="2nd training")
def training() -> None:
    fit(0.1)

# $ crossdock check pipeline_name.py
# crossdock: pipeline_name.py:9: '2nd training' is no pipeline name [bad-name]
#   hint: take letters (a to z), digits, '-' and '_', at most 63 of them, the first a letter
