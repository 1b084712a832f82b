from crossdock import pipeline, step


@step
def name() -> str:
    return "a"


@step
def show(text: str) -> None:
    print(text)


@pipeline
def report() -> None:
    show(name().upper())

# $ crossdock check method_of_a_text.py
# crossdock: method_of_a_text.py:16: .upper would be taken now, but the result of task 'name' (str) is known only when the pipeline runs [not-known-yet]
#   hint: do it in a step
