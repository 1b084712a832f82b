from crossdock import after, pipeline, step


@step
def prepare() -> None:
    print("ready")


@pipeline
def training(rows: int = 1) -> None:
    after(rows, prepare())

# $ crossdock check after_of_a_parameter.py
# crossdock: after_of_a_parameter.py:11: after(…) is given the parameter 'rows', which is no result of a step [bad-order]
#   hint: give what a step returned
