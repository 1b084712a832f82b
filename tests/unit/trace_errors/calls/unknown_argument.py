from crossdock import pipeline, step


@step
def train(rows: int, rate: float = 0.1) -> float:
    return rate


@pipeline
def fit() -> None:
    train(rows=10, rte=0.2)

# $ crossdock check unknown_argument.py
# crossdock: unknown_argument.py:11: step 'train' has no input 'rte' [bad-call]
#   hint: did you mean 'rate'? there is: rows, rate
