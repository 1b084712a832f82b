from crossdock import pipeline, step


@step
def score(kind: str) -> float:
    return float(len(kind))


@step
def show(best: float) -> None:
    print(best)


@pipeline
def report() -> None:
    show(max(score("a"), score("b")))

# $ crossdock check max_of.py
# crossdock: max_of.py:16: a comparison of the result of task 'score-2' is decided only when the pipeline runs: plain Python (if, while, and, or, not, in, max, a < b < c) cannot see it [not-known-yet]
#   hint: write `with when(…):`; combine comparisons with &, | and ~; for `in` write is_in(value, […])
