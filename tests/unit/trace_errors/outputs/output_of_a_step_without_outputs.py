from crossdock import pipeline, step


@step
def prepare() -> None:
    print("ready")


@step
def fit(rows: int) -> float:
    return 1.0


@pipeline
def training() -> None:
    fit(prepare().rows)

# $ crossdock check output_of_a_step_without_outputs.py
# crossdock: output_of_a_step_without_outputs.py:16: the step of task 'prepare' never produces an output 'rows' [unknown-output]
#   hint: it returns nothing; return the value from it, annotated as such
