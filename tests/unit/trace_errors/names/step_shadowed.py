from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


first = fit


@step
def fit(rate: float) -> float:
    return 2 * rate


@pipeline
def training() -> None:
    first(0.1)

# $ crossdock check step_shadowed.py
# crossdock: step_shadowed.py:4: step 'fit' cannot be imported: step_shadowed.fit is another Step by now [not-importable]
#   hint: give the two different names; @step is the outermost decorator
