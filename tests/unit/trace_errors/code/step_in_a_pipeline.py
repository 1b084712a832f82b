from crossdock import pipeline, step


@pipeline
def training() -> None:
    @step
    def double(value: int) -> int:
        return 2 * value

    double(2)

# $ crossdock check step_in_a_pipeline.py
# crossdock: step_in_a_pipeline.py:6: step 'double' is defined inside a function, so a container cannot import it [not-importable]
#   hint: move it to the top level of a module
