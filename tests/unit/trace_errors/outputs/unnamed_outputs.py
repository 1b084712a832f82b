from typing import Annotated

from crossdock import pipeline, step


@step
def split() -> tuple[Annotated[int, "train"], int]:
    return 1, 2


@pipeline
def training() -> None:
    split()

# $ crossdock check unnamed_outputs.py
# crossdock: unnamed_outputs.py:6: several outputs need a name each, and int has none [bad-annotation]
#   hint: write tuple[Annotated[int, "rows"], …] or a NamedTuple
