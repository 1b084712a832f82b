from crossdock import pipeline, step


@step
def count(name: str) -> int:
    return len(name)


@step
def show(rows: int) -> None:
    print(rows)


@pipeline
def report() -> None:
    show(sum([count("a"), count("b")]))

# $ crossdock check sum_of.py
# crossdock: sum_of.py:16: plain Python cannot compute with the result of task 'count': it is known only when the pipeline runs [not-known-yet]
#   hint: compute in a step
