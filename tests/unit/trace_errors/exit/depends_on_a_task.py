from crossdock import RunStatus, on_exit, pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@step
def tell(status: RunStatus, loss: float) -> None:
    print(status, loss)


@pipeline
def training() -> None:
    on_exit(tell, loss=fit(0.1))

# $ crossdock check depends_on_a_task.py
# crossdock: depends_on_a_task.py:16: input 'loss' of the exit step comes from a task, which may not have run [bad-map]
#   hint: give it literals and pipeline parameters; RunStatus says how the run ended
