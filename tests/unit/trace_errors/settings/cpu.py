from crossdock import Resources, pipeline, step


@step(resources=Resources(cpu="lots"))
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check cpu.py
# crossdock: cpu.py:4: cpu='lots' is not a number of cores [bad-setting]
#   hint: write cpu=2, cpu=0.5 or cpu="500m"
