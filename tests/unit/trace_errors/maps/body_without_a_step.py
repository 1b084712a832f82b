from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@pipeline
def training() -> None:
    work("a")
    map(lambda name: None, ["a", "b"])

# $ crossdock check body_without_a_step.py
# crossdock: body_without_a_step.py:12: the body of map(…) calls no step [bad-map]
#   hint: call one in it, with the item as an input
