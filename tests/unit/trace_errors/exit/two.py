from crossdock import RunStatus, on_exit, pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@step
def tell(status: RunStatus) -> None:
    print(status)


@pipeline
def training() -> None:
    on_exit(tell)
    on_exit(tell)
    fit(0.1)

# $ crossdock check two.py
# crossdock: two.py:17: there is an exit step already, at two.py:16 [bad-exit-step]
#   hint: do both things in one step
