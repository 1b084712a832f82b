from crossdock import pipeline, step


@step
def prüfen(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    prüfen(0.1)

# $ crossdock check non_ascii_step.py
# crossdock: non_ascii_step.py:4: 'prüfen' is no step name, which labels hold: letters (a to z), digits, '-' and '_' [bad-name]
#   hint: write @step(name="…")
