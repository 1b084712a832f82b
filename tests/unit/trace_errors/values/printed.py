from crossdock import pipeline, step


@step
def count() -> int:
    return 3


@pipeline
def report() -> None:
    print(count())

# $ crossdock check printed.py
# crossdock: printed.py:11: a text (str, print, f-string) cannot hold the result of task 'count': it is known only when the pipeline runs [not-known-yet]
#   hint: build the text in a step
