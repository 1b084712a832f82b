from crossdock import pipeline, step


@step
def train(rows: int, rate: float, seed: int = 0) -> float:
    return rate


@pipeline
def fit() -> None:
    train(10)

# $ crossdock check missing_argument.py
# crossdock: missing_argument.py:11: step 'train' is called without its input 'rate' [bad-call]
#   hint: train(rows=…, rate=…)
