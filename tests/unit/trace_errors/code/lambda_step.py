from crossdock import pipeline, step

double = step(lambda value: 2 * value)


@pipeline
def training() -> None:
    double(2)

# $ crossdock check lambda_step.py
# crossdock: lambda_step.py:3: a lambda has no name that a container could import it by [bad-step]
#   hint: write a `def` at the top level of a module
