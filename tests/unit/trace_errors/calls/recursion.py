from crossdock import pipeline, step


@step
def fit(rows: int) -> float:
    return 1.0


@pipeline
def training(rows: int = 3) -> None:
    fit(rows)
    training(rows)

# $ crossdock check recursion.py
# crossdock: recursion.py:12: pipeline 'training' calls itself (training -> training) [bad-call]
#   hint: a plan has no recursion: write map(…), or loop in a step
