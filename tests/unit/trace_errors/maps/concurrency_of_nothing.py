from crossdock import map, pipeline, step


@step
def work(number: int) -> int:
    return number


@pipeline
def training() -> None:
    map(work, [1, 2], concurrency=0)

# $ crossdock check concurrency_of_nothing.py
# crossdock: concurrency_of_nothing.py:11: concurrency=0 is not a count of items [bad-map]
#   hint: write 1 or more, or leave it out for no limit
