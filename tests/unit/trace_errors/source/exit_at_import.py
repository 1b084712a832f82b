import sys

from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


sys.exit(3)


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check exit_at_import.py
# crossdock: exit_at_import.py:11: importing 'exit_at_import' failed: SystemExit: 3 [import-failed]
#   hint: add --debug to see the whole traceback
