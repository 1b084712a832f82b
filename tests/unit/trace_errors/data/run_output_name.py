from pathlib import Path

from crossdock import Artifact, pipeline, step


@step
def read(data: Path) -> int:
    return 1


@pipeline
def training() -> None:
    read(Artifact.from_run("latest", "model"))

# $ crossdock check run_output_name.py
# crossdock: run_output_name.py:13: 'model' names no output of a run: it is not task.output [bad-uri]
#   hint: write "train.model"; `crossdock runs outputs latest` shows the names
