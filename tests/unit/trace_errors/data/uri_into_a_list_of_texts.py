from crossdock import Artifact, pipeline, step


@step
def read(places: list[str]) -> int:
    return len(places)


@pipeline
def training() -> None:
    read([Artifact.from_uri("s3://bucket/rows")])

# $ crossdock check uri_into_a_list_of_texts.py
# crossdock: uri_into_a_list_of_texts.py:11: input 'places' of step 'read' takes list[str], and data at a URI come as a file or a folder [wrong-type]
#   hint: annotate `places: list[Path]`, and read it in the step
