from crossdock import RunStatus, map, on_exit, pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@step
def tell(status: RunStatus) -> None:
    print(status)


def body(rate: float) -> float:
    on_exit(tell)
    return fit(rate)


@pipeline
def training() -> None:
    map(body, [0.1, 0.2])

# $ crossdock check in_a_map.py
# crossdock: in_a_map.py:15: on_exit(…) stands in a branch or a map, but an exit step runs in any case [bad-exit-step]
#   hint: move it to the top of the outermost pipeline; RunStatus says how the run ended
