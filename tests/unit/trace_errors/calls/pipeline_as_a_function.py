from crossdock import pipeline, step


@step
def fit(rows: int) -> float:
    return 1.0


@pipeline
def training(rows: int = 3) -> None:
    fit(rows)


training()

# $ crossdock check pipeline_as_a_function.py
# crossdock: pipeline_as_a_function.py:14: pipeline 'training' is not called but run [bad-call]
#   hint: type `crossdock run FILE.py:training`, or write Client().run(training)
