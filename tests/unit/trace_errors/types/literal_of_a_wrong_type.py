from crossdock import pipeline, step


@step
def train(layers: list[int], rate: float) -> float:
    return rate


@pipeline
def fit() -> None:
    train(layers=[64, "128"], rate=0.1)

# $ crossdock check literal_of_a_wrong_type.py
# crossdock: literal_of_a_wrong_type.py:11: input 'layers' of step 'train' takes list[int], not [64, '128'] (list) [wrong-type]
#   hint: change the value, or the annotation of the input
