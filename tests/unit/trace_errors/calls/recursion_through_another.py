from crossdock import pipeline, step


@step
def fit(rows: int) -> float:
    return 1.0


@pipeline
def training(rows: int = 3) -> None:
    fit(rows)
    tuning(rows)


@pipeline
def tuning(rows: int = 3) -> None:
    training(rows)

# $ crossdock check recursion_through_another.py:training
# crossdock: recursion_through_another.py:17: pipeline 'training' calls itself (training -> tuning -> training) [bad-call]
#   hint: a plan has no recursion: write map(…), or loop in a step
