from pathlib import Path

from crossdock import Artifact, pipeline, step


@step
def count(table: Path) -> int:
    return 1


@pipeline
def training(table: Path = Artifact.from_run("7f00", "load.output")) -> None:
    count(table)

# $ crossdock check default_of_an_earlier_run.py
# crossdock: default_of_an_earlier_run.py:11: the default of parameter 'table' is an output of a run, and not a place [bad-signature]
#   hint: give Artifact.from_run(…) to the step that reads it
