from crossdock import Artifact, pipeline, step


@step
def read(place: str) -> int:
    return len(place)


@pipeline
def training() -> None:
    read(Artifact.from_uri("s3://bucket/rows"))

# $ crossdock check uri_into_a_text.py
# crossdock: uri_into_a_text.py:11: input 'place' of step 'read' takes str, and data at a URI come as a file or a folder [wrong-type]
#   hint: annotate `place: Path`, and read it in the step
