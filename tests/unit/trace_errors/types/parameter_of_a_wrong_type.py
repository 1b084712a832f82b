from crossdock import pipeline, step


@step
def train(rate: float) -> float:
    return rate


@pipeline
def fit(rate: str = "0.1") -> None:
    train(rate)

# $ crossdock check parameter_of_a_wrong_type.py
# crossdock: parameter_of_a_wrong_type.py:11: input 'rate' of step 'train' takes float, but gets str (the parameter 'rate') [wrong-type]
#   hint: change one of the two annotations, or convert in a step between
