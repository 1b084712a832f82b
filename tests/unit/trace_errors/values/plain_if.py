from crossdock import pipeline, step


@step
def score() -> float:
    return 0.9


@step
def deploy() -> None:
    print("deployed")


@pipeline
def release() -> None:
    if score() > 0.8:
        deploy()

# $ crossdock check plain_if.py
# crossdock: plain_if.py:16: a comparison of the result of task 'score' is decided only when the pipeline runs: plain Python (if, while, and, or, not, in, max, a < b < c) cannot see it [not-known-yet]
#   hint: write `with when(…):`; combine comparisons with &, | and ~; for `in` write is_in(value, […])
