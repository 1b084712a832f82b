from typing import Annotated

from crossdock import pipeline, step


@step
def split() -> tuple[Annotated[int, "rows"], Annotated[int, "rows"]]:
    return 1, 2


@pipeline
def training() -> None:
    split()

# $ crossdock check two_outputs_of_one_name.py
# crossdock: two_outputs_of_one_name.py:6: step 'split' has two outputs named 'rows' [bad-annotation]
#   hint: give one of them another name
