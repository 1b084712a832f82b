from crossdock import pipeline, step, when


@step
def score() -> float:
    return 0.9


@step
def deploy() -> None:
    print("deployed")


@pipeline
def release(dry: bool = False) -> None:
    with when(score() > 0.8 and dry):
        deploy()

# $ crossdock check and_or.py
# crossdock: and_or.py:16: a comparison of the result of task 'score' is decided only when the pipeline runs: plain Python (if, while, and, or, not, in, max, a < b < c) cannot see it [not-known-yet]
#   hint: write `with when(…):`; combine comparisons with &, | and ~; for `in` write is_in(value, […])
