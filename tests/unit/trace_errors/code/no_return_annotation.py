from crossdock import pipeline, step


@step
def fit(rate: float):
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check no_return_annotation.py
# crossdock: no_return_annotation.py:4: step 'fit' does not say what it returns [bad-annotation]
#   hint: annotate the return value, `-> None` when there is none
