from crossdock import RunStatus, on_exit, pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@step
def tell(status: RunStatus) -> None:
    print(status)


@pipeline
def inner() -> None:
    on_exit(tell)
    fit(0.1)


@pipeline
def training() -> None:
    inner()

# $ crossdock check in_a_nested_pipeline.py
# crossdock: in_a_nested_pipeline.py:16: on_exit(…) stands in a pipeline that another one calls, but an exit step runs in any case [bad-exit-step]
#   hint: move it to the top of the outermost pipeline; RunStatus says how the run ended
