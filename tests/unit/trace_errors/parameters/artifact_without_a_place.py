from pathlib import Path

from crossdock import pipeline, step


@step
def read(data: Path) -> int:
    return 1


@pipeline
def training(data: Path) -> None:
    read(data)

# $ crossdock run artifact_without_a_place.py
# crossdock: parameter 'data' (pathlib.Path) has no value [missing-parameter]
#   hint: -p 'data=PATH or URI'
