from crossdock import pipeline, step


@step
def names() -> list[str]:
    return ["a", "b", "c"]


@step
def show(names: list[str]) -> None:
    print(names)


@pipeline
def report() -> None:
    show(names()[1:])

# $ crossdock check slice_of_a_list.py
# crossdock: slice_of_a_list.py:16: […:…] cannot pick a part of the result of task 'names': it is known only when the pipeline runs [not-known-yet]
#   hint: take it apart in a step
