from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@pipeline
def training() -> None:
    map(work, "abc")

# $ crossdock check over_a_text.py
# crossdock: over_a_text.py:11: map(…) goes over 'abc' (str), which is no list [bad-map]
#   hint: write map(step, ['abc'])
