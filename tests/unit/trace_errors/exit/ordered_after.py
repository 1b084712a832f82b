from crossdock import RunStatus, after, on_exit, pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@step
def tell(status: RunStatus) -> None:
    print(status)


@pipeline
def training() -> None:
    loss = fit(0.1)
    after(on_exit(tell), loss)

# $ crossdock check ordered_after.py
# crossdock: ordered_after.py:17: after(…) is given None, which is no result of a step [bad-order]
#   hint: give what a step returned
