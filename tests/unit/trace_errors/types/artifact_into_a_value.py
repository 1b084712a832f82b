from pathlib import Path

from crossdock import pipeline, step


@step
def download() -> Path:
    return Path("data.csv")


@step
def count(rows: int) -> int:
    return rows


@pipeline
def report() -> None:
    count(download())

# $ crossdock check artifact_into_a_value.py
# crossdock: artifact_into_a_value.py:18: input 'rows' of step 'count' takes int, but gets pathlib.Path (the result of task 'download') [wrong-type]
#   hint: change one of the two annotations, or convert in a step between
