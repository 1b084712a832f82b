from pathlib import Path

from crossdock import Artifact, pipeline, step


@step
def read(data: Path) -> int:
    return 1


@pipeline
def training() -> None:
    read(Artifact.from_uri(""))

# $ crossdock check uri_empty.py
# crossdock: uri_empty.py:13: '' is no URI and no path [bad-uri]
#   hint: write "s3://bucket/key", "gs://bucket/key", "az://container/key", "file:///folder/file" or a path
