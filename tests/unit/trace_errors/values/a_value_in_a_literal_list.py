from crossdock import pipeline, step, when


@step
def name() -> str:
    return "a"


@step
def show() -> None:
    print("found")


@pipeline
def report() -> None:
    with when(name() in ["a", "b"]):
        show()

# $ crossdock check a_value_in_a_literal_list.py
# crossdock: a_value_in_a_literal_list.py:16: a comparison of the result of task 'name' is decided only when the pipeline runs: plain Python (if, while, and, or, not, in, max, a < b < c) cannot see it [not-known-yet]
#   hint: write `with when(…):`; combine comparisons with &, | and ~; for `in` write is_in(value, […])
