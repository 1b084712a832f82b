from crossdock import pipeline, step


@step
def count() -> int:
    return 3


@step
def show(text: str) -> None:
    print(text)


@pipeline
def report() -> None:
    show(str(count()))

# $ crossdock check str_of.py
# crossdock: str_of.py:16: a text (str, print, f-string) cannot hold the result of task 'count': it is known only when the pipeline runs [not-known-yet]
#   hint: build the text in a step
