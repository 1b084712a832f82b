from crossdock import map, pipeline, step


@step
def work(name: str, size: int) -> int:
    return len(name)


@pipeline
def training() -> None:
    map(work, ["a", "b"])

# $ crossdock check body_with_two_inputs.py
# crossdock: body_with_two_inputs.py:11: step 'work' is called without its input 'size' [bad-call]
#   hint: work(name=…, size=…)
