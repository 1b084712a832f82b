from crossdock import pipeline, step


@step
def decide() -> str:
    return "yes"


@step
def deploy() -> None:
    print("deployed")


@pipeline
def release() -> None:
    if decide() == "yes":
        deploy()

# $ crossdock check if_on_equality.py
# crossdock: if_on_equality.py:16: a comparison of the result of task 'decide' is decided only when the pipeline runs: plain Python (if, while, and, or, not, in, max, a < b < c) cannot see it [not-known-yet]
#   hint: write `with when(…):`; combine comparisons with &, | and ~; for `in` write is_in(value, […])
