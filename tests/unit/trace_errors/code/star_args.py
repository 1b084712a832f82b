from crossdock import pipeline, step


@step
def total(*values: int) -> int:
    return sum(values)


@pipeline
def training() -> None:
    total(1, 2)

# $ crossdock check star_args.py
# crossdock: star_args.py:4: step 'total' takes *values: int, but a plan holds inputs by their names [bad-signature]
#   hint: take a list or a dict: values: list[…]
