from crossdock import pipeline, step


def make(factor: int):
    @step
    def times(value: int) -> int:
        return factor * value

    return times


double = make(2)


@pipeline
def training() -> None:
    double(2)

# $ crossdock check nested_function.py
# crossdock: nested_function.py:5: step 'times' is defined inside a function, so a container cannot import it [not-importable]
#   hint: move it to the top level of a module
