from pathlib import Path

from crossdock import map, pipeline, step


@step
def files() -> list[Path]:
    return [Path("data")]


@step
def work(file: Path) -> int:
    return 1


@pipeline
def training() -> None:
    map(work, files())

# $ crossdock check over_a_list_of_artifacts.py
# crossdock: over_a_list_of_artifacts.py:18: map(…) goes over list[pathlib.Path] (the result of task 'files'): that is one artifact, whose items a pipeline does not see [bad-map]
#   hint: return a list of names or numbers from the step, and make the objects in the map's body
