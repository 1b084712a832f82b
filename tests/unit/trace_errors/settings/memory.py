from crossdock import Resources, pipeline, step


@step(resources=Resources(cpu=1, memory="4 gigs"))
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check memory.py
# crossdock: memory.py:4: memory='4 gigs' is not a size [bad-setting]
#   hint: write memory="4Gi" or "500M"
