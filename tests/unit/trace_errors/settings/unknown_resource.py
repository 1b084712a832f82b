from crossdock import Resources, pipeline, step


@step(resources=Resources(gpus=1))
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check unknown_resource.py
# crossdock: unknown_resource.py:4: Resources has no 'gpus' [bad-setting]
#   hint: did you mean 'gpu'? there is: cpu, memory, gpu, gpu_type, disk, shm, spot
