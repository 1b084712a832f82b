from typing import Literal

from crossdock import pipeline, step


@step
def fit(kind: Literal["linear", "boosted"]) -> str:
    return kind


@pipeline
def training(kind: Literal["linear", "boosted"] = "linear") -> None:
    fit(kind)

# $ crossdock run literal.py -p kind=lineer
# crossdock: parameter 'kind' takes Literal['linear', 'boosted'], not 'lineer' [bad-parameter]
#   hint: -p kind=…, one of linear, boosted
