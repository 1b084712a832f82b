from crossdock import pipeline, step


@step
def load(file: str) -> int:
    return len(file)


@pipeline
def report(day: str) -> None:
    load(f"sales-{day}.csv")

# $ crossdock check f_string_of_a_parameter.py
# crossdock: f_string_of_a_parameter.py:11: a text (str, print, f-string) cannot hold the parameter 'day': it is known only when the pipeline runs [not-known-yet]
#   hint: build the text in a step
