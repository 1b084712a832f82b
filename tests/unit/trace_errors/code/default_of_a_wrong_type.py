from crossdock import pipeline, step


@step
def fit(rate: float = "slow") -> float:
    return rate


@pipeline
def training() -> None:
    fit()

# $ crossdock check default_of_a_wrong_type.py
# crossdock: default_of_a_wrong_type.py:11: input 'rate' of step 'fit' takes float, not 'slow' (str) [wrong-type]
#   hint: change the value, or the annotation of the input
