from crossdock import pipeline, step, when


@step
def score() -> float:
    return 0.9


@step
def deploy() -> None:
    print("deployed")


@pipeline
def release() -> None:
    with when(not (score() > 0.8)):
        deploy()

# $ crossdock check not_of_a_comparison.py
# crossdock: not_of_a_comparison.py:16: a comparison of the result of task 'score' is decided only when the pipeline runs: plain Python (if, while, and, or, not, in, max, a < b < c) cannot see it [not-known-yet]
#   hint: write `with when(…):`; combine comparisons with &, | and ~; for `in` write is_in(value, […])
