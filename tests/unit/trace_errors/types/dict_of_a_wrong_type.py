from crossdock import pipeline, step


@step
def train(rates: dict[str, float]) -> int:
    return len(rates)


@pipeline
def fit() -> None:
    train({"a": "fast"})

# $ crossdock check dict_of_a_wrong_type.py
# crossdock: dict_of_a_wrong_type.py:11: input 'rates' of step 'train' takes dict[str, float], not {'a': 'fast'} (dict) [wrong-type]
#   hint: change the value, or the annotation of the input
