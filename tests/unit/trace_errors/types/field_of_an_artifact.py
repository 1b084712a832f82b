import threading

from crossdock import pipeline, step


@step
def load() -> threading.Thread:
    return threading.Thread()


@step
def show(name: str) -> None:
    print(name)


@pipeline
def report() -> None:
    show(load().name)

# $ crossdock check field_of_an_artifact.py
# crossdock: field_of_an_artifact.py:18: .name of the result of task 'load' is not known while the pipeline is traced: threading.Thread is an artifact [not-known-yet]
#   hint: take it apart in a step
