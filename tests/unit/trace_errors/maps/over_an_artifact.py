from pathlib import Path

from crossdock import map, pipeline, step


@step
def files() -> Path:
    return Path("data")


@step
def work(file: Path) -> int:
    return 1


@pipeline
def training() -> None:
    map(work, files())

# $ crossdock check over_an_artifact.py
# crossdock: over_an_artifact.py:18: map(…) goes over pathlib.Path (the result of task 'files'), which is no list [bad-map]
#   hint: return a list[…] from the step, annotated as such
