from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


def body(name: str) -> str:
    work(name)
    return name


@pipeline
def training() -> None:
    map(body, ["a", "b"])

# $ crossdock check body_returns_the_item.py
# crossdock: body_returns_the_item.py:16: the body of map(…) returns the item of a map, which no step in the body made [bad-map]
#   hint: return what a step in the body returned, or nothing
