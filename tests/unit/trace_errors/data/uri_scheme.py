from pathlib import Path

from crossdock import Artifact, pipeline, step


@step
def read(data: Path) -> int:
    return 1


@pipeline
def training() -> None:
    read(Artifact.from_uri("s4://bucket/key"))

# $ crossdock check uri_scheme.py
# crossdock: uri_scheme.py:13: 's4://bucket/key': no data are read from s4:// [bad-uri]
#   hint: there is: s3, gs, az, abfs, abfss, file
