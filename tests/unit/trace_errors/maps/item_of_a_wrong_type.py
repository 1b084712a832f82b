from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@pipeline
def training() -> None:
    map(work, [1, 2])

# $ crossdock check item_of_a_wrong_type.py
# crossdock: item_of_a_wrong_type.py:11: input 'name' of step 'work' takes str, but gets int (the item of a map) [wrong-type]
#   hint: change one of the two annotations, or convert in a step between
