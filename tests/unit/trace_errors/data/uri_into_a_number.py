from crossdock import Artifact, pipeline, step


@step
def read(rows: int) -> int:
    return rows


@pipeline
def training() -> None:
    read(Artifact.from_uri("s3://bucket/rows"))

# $ crossdock check uri_into_a_number.py
# crossdock: uri_into_a_number.py:11: input 'rows' of step 'read' takes int, and data at a URI come as a file or a folder [wrong-type]
#   hint: annotate `rows: Path`, and read it in the step
