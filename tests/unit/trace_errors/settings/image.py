from crossdock import pipeline, step


@step(image="python 3.12")
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check image.py
# crossdock: image.py:4: image='python 3.12' is not an image reference [bad-setting]
#   hint: write image="python:3.12-slim"
