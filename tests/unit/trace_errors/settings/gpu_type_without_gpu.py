from crossdock import Resources, pipeline, step


@step(resources=Resources(gpu_type="nvidia-l4"))
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check gpu_type_without_gpu.py
# crossdock: gpu_type_without_gpu.py:4: gpu_type='nvidia-l4' without gpu [bad-setting]
#   hint: add gpu=1
