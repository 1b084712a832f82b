import threading

from crossdock import pipeline, step


@step
def split() -> tuple[threading.Thread, threading.Thread]:
    return threading.Thread(), threading.Thread()


@step
def start(thread: threading.Thread) -> None:
    thread.start()


@pipeline
def report() -> None:
    train, test = split()
    start(train)

# $ crossdock check result_that_is_not_unpacked.py
# crossdock: result_that_is_not_unpacked.py:18: the result of task 'split' is one artifact (tuple[threading.Thread, threading.Thread]), and cannot be unpacked [not-known-yet]
#   hint: name the outputs: -> tuple[Annotated[…, "train"], Annotated[…, "test"]], or a NamedTuple
