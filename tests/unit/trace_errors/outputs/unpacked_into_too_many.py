from typing import Annotated

from crossdock import pipeline, step


@step
def split() -> tuple[Annotated[int, "train"], Annotated[int, "test"]]:
    return 1, 2


@step
def fit(rows: int) -> float:
    return 1.0


@pipeline
def training() -> None:
    train, test, rest = split()
    fit(train)

# $ crossdock check unpacked_into_too_many.py
# crossdock: unpacked_into_too_many.py:18: pipeline 'training' raised ValueError: not enough values to unpack (expected 3, got 2) [pipeline-raised]
#   hint: the pipeline function runs once, to see which steps it calls; what needs data belongs into a step
