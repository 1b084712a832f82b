from pathlib import Path

from crossdock import Artifact, pipeline, step


@step
def read(data: Path) -> int:
    return 1


@pipeline
def training() -> None:
    read(Artifact.from_uri("s3://"))

# $ crossdock check uri_without_a_key.py
# crossdock: uri_without_a_key.py:13: 's3://' names no file and no folder [bad-uri]
#   hint: write "s3://bucket/key", "gs://bucket/key", "az://container/key", "file:///folder/file" or a path
