import threading

from crossdock import pipeline, step


@step
def work(lock: threading.Thread) -> int:
    return 1


@pipeline
def report() -> None:
    work(threading.Thread())

# $ crossdock check object_that_is_no_value.py
# crossdock: object_that_is_no_value.py:13: input 'lock' of step 'work' is given a Thread, which cannot be written into a plan: threading.Thread is not a value type [not-a-value]
#   hint: make it in a step; data that exist already come in by Artifact.from_uri(…)
