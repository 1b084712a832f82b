from crossdock import pipeline, step


@step
def double(value: int, /) -> int:
    return 2 * value


@pipeline
def training() -> None:
    double(1)

# $ crossdock check positional_only.py
# crossdock: positional_only.py:4: input 'value' of step 'double' is positional only [bad-signature]
#   hint: drop the `/`
