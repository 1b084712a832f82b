import threading

from crossdock import Artifact, pipeline, step


@step
def count(table: threading.Thread) -> int:
    return 1


@pipeline
def training() -> None:
    count(Artifact.from_uri("s3://bucket/table.parquet"))

# $ crossdock check uri_into_a_table.py
# crossdock: uri_into_a_table.py:13: input 'table' of step 'count' takes threading.Thread, and data at a URI come as a file or a folder [wrong-type]
#   hint: annotate `table: Path`, and read it in the step
