from crossdock import pipeline, step


@step
def count() -> int:
    return 3


@step
def show(text: str) -> None:
    print(text)


@pipeline
def report() -> None:
    show("%d rows" % count())

# $ crossdock check percent_format.py
# crossdock: percent_format.py:16: plain Python cannot convert the result of task 'count': it is known only when the pipeline runs [not-known-yet]
#   hint: convert it in a step
