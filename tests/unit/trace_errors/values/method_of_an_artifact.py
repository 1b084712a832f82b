from pathlib import Path

from crossdock import pipeline, step


@step
def download() -> Path:
    return Path("data.csv")


@step
def show(text: str) -> None:
    print(text)


@pipeline
def report() -> None:
    show(download().read_text())

# $ crossdock check method_of_an_artifact.py
# crossdock: method_of_an_artifact.py:18: .read_text of the result of task 'download' is not known while the pipeline is traced: pathlib.Path is an artifact [not-known-yet]
#   hint: take it apart in a step
