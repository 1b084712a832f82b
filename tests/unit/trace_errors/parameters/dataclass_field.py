from dataclasses import dataclass

from crossdock import pipeline, step


@dataclass
class Model:
    kind: str
    depth: int = 3


@step
def fit(model: Model) -> str:
    return model.kind


@pipeline
def training(model: Model) -> None:
    fit(model)

# $ crossdock run dataclass_field.py --params dataclass_field.yaml
# crossdock: dataclass_field.yaml:1: model: Model has no field 'dpeth' [unknown-field]
#   hint: did you mean 'depth'? there is: kind, depth
