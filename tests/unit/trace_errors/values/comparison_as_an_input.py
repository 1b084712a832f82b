from crossdock import pipeline, step


@step
def score() -> float:
    return 0.9


@step
def show(good: bool) -> None:
    print(good)


@pipeline
def report() -> None:
    show(score() > 0.8)

# $ crossdock check comparison_as_an_input.py
# crossdock: comparison_as_an_input.py:16: input 'good' of step 'show' is given a comparison, which only steers when(…) [bad-condition]
#   hint: give it the value, and compare in the step
