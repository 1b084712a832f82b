from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@pipeline
def training() -> None:
    map(work("a"), ["a", "b"])

# $ crossdock check body_called_already.py
# crossdock: body_called_already.py:11: map(…) is given the result of task 'work' as what to do for each item [bad-map]
#   hint: give it the step itself, without a call: map(step, items)
