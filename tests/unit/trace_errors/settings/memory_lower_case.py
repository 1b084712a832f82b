from crossdock import Resources, pipeline, step


@step(resources=Resources(memory="4gb"))
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check memory_lower_case.py
# crossdock: memory_lower_case.py:4: memory='4gb' is not a size [bad-setting]
#   hint: write memory="4Gi" or "500M"
