from crossdock import pipeline, step


@step
def name() -> str:
    return "a"


@step
def size() -> int:
    return 1


@step
def add(sizes: list[int]) -> int:
    return sum(sizes)


@pipeline
def total() -> None:
    add([size(), name()])

# $ crossdock check list_of_mixed_results.py
# crossdock: list_of_mixed_results.py:21: input 'sizes' of step 'add' takes list[int], but gets list[int | str] [wrong-type]
#   hint: change one of the two annotations, or convert in a step between
