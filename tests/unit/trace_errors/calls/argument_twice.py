from crossdock import pipeline, step


@step
def train(rows: int, rate: float) -> float:
    return 1.0


@pipeline
def fit() -> None:
    train(10, 0.2, rows=3)

# $ crossdock check argument_twice.py
# crossdock: argument_twice.py:11: step 'train' is given 'rows' twice, by its place and by its name [bad-call]
#   hint: drop one of the two
