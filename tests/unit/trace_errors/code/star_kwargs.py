from crossdock import pipeline, step


@step
def total(**values: int) -> int:
    return sum(values.values())


@pipeline
def training() -> None:
    total(a=1)

# $ crossdock check star_kwargs.py
# crossdock: star_kwargs.py:4: step 'total' takes **values: int, but a plan holds inputs by their names [bad-signature]
#   hint: take a list or a dict: values: list[…]
