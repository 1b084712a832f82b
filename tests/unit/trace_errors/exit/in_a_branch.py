from crossdock import RunStatus, on_exit, pipeline, step, when


@step
def fit(rate: float) -> float:
    return rate


@step
def tell(status: RunStatus) -> None:
    print(status)


@pipeline
def training(quiet: bool = False) -> None:
    fit(0.1)
    with when(~quiet):
        on_exit(tell)

# $ crossdock check in_a_branch.py
# crossdock: in_a_branch.py:18: on_exit(…) stands in a branch or a map, but an exit step runs in any case [bad-exit-step]
#   hint: move it to the top of the outermost pipeline; RunStatus says how the run ended
