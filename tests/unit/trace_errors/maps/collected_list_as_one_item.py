from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@step
def show(size: int) -> None:
    print(size)


@pipeline
def training() -> None:
    show(map(work, ["a", "b"]))

# $ crossdock check collected_list_as_one_item.py
# crossdock: collected_list_as_one_item.py:16: input 'size' of step 'show' takes int, but gets list[int] (the result of task 'work', for each item of its map) [wrong-type]
#   hint: change one of the two annotations, or convert in a step between
