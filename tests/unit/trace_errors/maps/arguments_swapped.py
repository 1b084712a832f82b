from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@pipeline
def training() -> None:
    map(["a", "b"], work)

# $ crossdock check arguments_swapped.py
# crossdock: arguments_swapped.py:11: map(…) is given ['a', 'b'] (list) as what to do for each item [bad-map]
#   hint: write map(step, items)
