from crossdock import after, pipeline, step


@step
def prepare() -> int:
    return 1


@step
def fit(rows: int) -> float:
    return 1.0


@step
def publish(loss: float) -> None:
    print(loss)


@pipeline
def training() -> None:
    rows = prepare()
    published = publish(fit(rows))
    after(rows, published)

# $ crossdock check cycle.py
# crossdock: cycle.py:23: a cycle: prepare -> fit -> publish -> prepare, so that none of these tasks could start [bad-order]
#   hint: drop this after(…), or one of the edges
