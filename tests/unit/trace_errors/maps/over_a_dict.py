from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@pipeline
def training() -> None:
    map(work, {"a": 1})

# $ crossdock check over_a_dict.py
# crossdock: over_a_dict.py:11: map(…) goes over {'a': 1} (dict), which is no list [bad-map]
#   hint: write map(step, list(items))
