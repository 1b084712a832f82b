from pathlib import Path

from crossdock import Artifact, pipeline, step


@step
def read(data: Path) -> int:
    return 1


@pipeline
def training() -> None:
    read(Artifact.from_uri("s3://key:secret@bucket/data"))

# $ crossdock check uri_with_a_password.py
# crossdock: uri_with_a_password.py:13: the s3:// URI holds a password, which would stand in the plan [secret-in-uri]
#   hint: leave it out; credentials come from the environment that runs the step
