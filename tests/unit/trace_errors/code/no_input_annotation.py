from crossdock import pipeline, step


@step
def fit(rate) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check no_input_annotation.py
# crossdock: no_input_annotation.py:4: input 'rate' of step 'fit' has no type [bad-annotation]
#   hint: annotate it, e.g. `rate: float`; `Any` takes everything
