from crossdock import pipeline, step


@step
def name() -> str:
    return "a"


@step
def show(text: str) -> None:
    print(text)


@pipeline
def report() -> None:
    show(f"hello {name()}")

# $ crossdock check f_string.py
# crossdock: f_string.py:16: a text (str, print, f-string) cannot hold the result of task 'name': it is known only when the pipeline runs [not-known-yet]
#   hint: build the text in a step
