from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


def body(name: str) -> int:
    work(name)
    return 3


@pipeline
def training() -> None:
    map(body, ["a", "b"])

# $ crossdock check body_returns_a_literal.py
# crossdock: body_returns_a_literal.py:16: the body of map(…) returns 3, which no step in the body made [bad-map]
#   hint: return what a step in the body returned, or nothing
