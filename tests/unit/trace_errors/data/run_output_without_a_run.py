from pathlib import Path

from crossdock import Artifact, pipeline, step


@step
def read(data: Path) -> int:
    return 1


@pipeline
def training() -> None:
    read(Artifact.from_run("", "train.model"))

# $ crossdock check run_output_without_a_run.py
# crossdock: run_output_without_a_run.py:13: '' is no run's id [bad-uri]
#   hint: crossdock runs list shows the ids
