from crossdock import pipeline, step, when


@step
def names() -> list[str]:
    return ["a"]


@step
def show() -> None:
    print("found")


@pipeline
def report() -> None:
    with when("a" in names()):
        show()

# $ crossdock check in_a_list.py
# crossdock: in_a_list.py:16: `in` cannot search the result of task 'names': it is known only when the pipeline runs [not-known-yet]
#   hint: search in a step that returns a bool
