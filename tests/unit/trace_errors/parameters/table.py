import threading

from crossdock import pipeline, step


@step
def count(table: threading.Thread) -> int:
    return 1


@pipeline
def training(table: threading.Thread) -> None:
    count(table)

# $ crossdock check table.py
# crossdock: table.py:11: pipeline parameter 'table' is of type threading.Thread, which is not written as a text: a parameter is a value, or data at a place [bad-signature]
#   hint: annotate `table: Path`, and read it in a step
