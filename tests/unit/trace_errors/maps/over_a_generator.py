from crossdock import map, pipeline, step


@step
def work(number: int) -> int:
    return number


@pipeline
def training() -> None:
    map(work, (number * number for number in [1, 2, 3]))

# $ crossdock check over_a_generator.py
# crossdock: over_a_generator.py:11: map(…) goes over a generator, which is no list [bad-map]
#   hint: write map(step, list(items))
