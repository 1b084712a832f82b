from crossdock import pipeline, step


@step(resources={"cpu": 2})
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check resources_as_a_dict.py
# crossdock: resources_as_a_dict.py:4: resources={'cpu': 2} is not a Resources [bad-setting]
#   hint: write resources=Resources(…)
