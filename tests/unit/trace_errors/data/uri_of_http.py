from pathlib import Path

from crossdock import Artifact, pipeline, step


@step
def read(data: Path) -> int:
    return 1


@pipeline
def training() -> None:
    read(Artifact.from_uri("https://example.com/data.csv"))

# $ crossdock check uri_of_http.py
# crossdock: uri_of_http.py:13: 'https://example.com/data.csv': no data are read from https:// [bad-uri]
#   hint: download it in a step
