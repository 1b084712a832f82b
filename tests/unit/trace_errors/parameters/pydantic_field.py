import pydantic

from crossdock import pipeline, step


class Model(pydantic.BaseModel):
    kind: str
    depth: int = 3


@step
def fit(model: Model) -> str:
    return model.kind


@pipeline
def training(model: Model) -> None:
    fit(model)

# $ crossdock run pydantic_field.py --params pydantic_field.yaml
# crossdock: pydantic_field.yaml:1: model.depth: Input should be a valid integer, unable to parse string as an integer [bad-parameter]
#   hint: its fields are: kind, depth
