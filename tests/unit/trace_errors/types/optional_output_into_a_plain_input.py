from crossdock import pipeline, step


@step
def find(name: str) -> list[str] | None:
    return None


@step
def count(names: int) -> int:
    return names


@pipeline
def search() -> None:
    count(find("a"))

# $ crossdock check optional_output_into_a_plain_input.py
# crossdock: optional_output_into_a_plain_input.py:16: input 'names' of step 'count' takes int, but gets list[str] | None (the result of task 'find') [wrong-type]
#   hint: change one of the two annotations, or convert in a step between
