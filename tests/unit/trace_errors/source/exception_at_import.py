from crossdock import pipeline, step

RATES = {"slow": 0.1}
RATE = RATES["fast"]


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(RATE)

# $ crossdock check exception_at_import.py
# crossdock: exception_at_import.py:4: importing 'exception_at_import' failed: KeyError: 'fast' [import-failed]
#   hint: add --debug to see the whole traceback
