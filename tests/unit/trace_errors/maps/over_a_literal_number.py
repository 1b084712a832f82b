from crossdock import map, pipeline, step


@step
def work(number: int) -> int:
    return number


@pipeline
def training() -> None:
    map(work, 3)

# $ crossdock check over_a_literal_number.py
# crossdock: over_a_literal_number.py:11: map(…) goes over 3 (int), which is no list [bad-map]
#   hint: write map(step, range(3))
