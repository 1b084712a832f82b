from pathlib import Path

from crossdock import pipeline, step


@step
def download() -> Path:
    return Path("data")


@step
def show(file: Path) -> None:
    print(file)


@pipeline
def report() -> None:
    show(download() / "a.csv")

# $ crossdock check path_joined.py
# crossdock: path_joined.py:18: plain Python cannot compute with the result of task 'download': it is known only when the pipeline runs [not-known-yet]
#   hint: compute in a step
