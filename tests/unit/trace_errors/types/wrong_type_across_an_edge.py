from crossdock import pipeline, step


@step
def count(folder: str) -> int:
    return len(folder)


@step
def shout(text: str) -> str:
    return text.upper()


@pipeline
def report() -> None:
    rows = count("data")
    shout(rows)

# $ crossdock check wrong_type_across_an_edge.py
# crossdock: wrong_type_across_an_edge.py:17: input 'text' of step 'shout' takes str, but gets int (the result of task 'count') [wrong-type]
#   hint: change one of the two annotations, or convert in a step between
