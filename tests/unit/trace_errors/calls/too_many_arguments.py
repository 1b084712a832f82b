from crossdock import pipeline, step


@step
def train(rows: int) -> float:
    return 1.0


@pipeline
def fit() -> None:
    train(10, 0.2)

# $ crossdock check too_many_arguments.py
# crossdock: too_many_arguments.py:11: step 'train' takes 1 input (rows), and is given 2 [bad-call]
#   hint: drop 1 of them
