from crossdock import after, pipeline, step


@step
def prepare() -> None:
    print("ready")


@step
def fit(rows: int) -> float:
    return 1.0


@pipeline
def training() -> None:
    prepare()
    after(fit(3), prepare)

# $ crossdock check after_nothing.py
# crossdock: after_nothing.py:17: after(…) is given <Step prepare>, which is no result of a step [bad-order]
#   hint: call the step, and give what it returned
