from crossdock import pipeline, step


@step
def load() -> int:
    return 1


@step
def train(rows: int) -> float:
    return 1.0


@pipeline
def fit() -> None:
    train(load)

# $ crossdock check step_itself_as_an_input.py
# crossdock: step_itself_as_an_input.py:16: input 'rows' of step 'train' is given <Step load> itself, not what it returns [bad-call]
#   hint: call it: load(…)
