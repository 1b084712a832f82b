from crossdock import pipeline, step


@step
def train(rate: float) -> float:
    return rate / 2


@pipeline
def fit() -> None:
    loss = train(1.0)
    while loss > 0.1:
        loss = train(loss)

# $ crossdock check while_loop.py
# crossdock: while_loop.py:12: a comparison of the result of task 'train' is decided only when the pipeline runs: plain Python (if, while, and, or, not, in, max, a < b < c) cannot see it [not-known-yet]
#   hint: write `with when(…):`; combine comparisons with &, | and ~; for `in` write is_in(value, […])
