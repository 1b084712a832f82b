from crossdock import pipeline, step


@step
def half(value: 3) -> float:
    return value / 2


@pipeline
def training() -> None:
    half(3)

# $ crossdock check annotation_that_is_no_type.py
# crossdock: annotation_that_is_no_type.py:4: 'value' of 'half' is annotated by 3, which is no type [bad-annotation]
#   hint: annotate with types: int, list[str], pandas.DataFrame, …
