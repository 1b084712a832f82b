from typing import Any

from crossdock import pipeline, step


@step
def show(value: Any) -> None:
    print(value)


@pipeline
def anything(value: Any = None) -> None:
    show(value)

# $ crossdock check of_any_type.py
# crossdock: of_any_type.py:11: pipeline parameter 'value' is of type Any, which says nothing of how a text is read [bad-signature]
#   hint: annotate `value: str`, or what it is
