import enum

from crossdock import pipeline, step


class Kind(enum.Enum):
    LINEAR = "linear"
    BOOSTED = "boosted"


@step
def fit(kind: Kind) -> str:
    return kind.value


@pipeline
def training(kind: Kind = Kind.LINEAR) -> None:
    fit(kind)

# $ crossdock run choice.py -p kind=lineer
# crossdock: parameter 'kind' takes choice.Kind, not 'lineer' [bad-parameter]
#   hint: -p kind=…, one of LINEAR, BOOSTED
