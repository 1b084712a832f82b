from crossdock import pipeline, step

RATES = {"linear": 0.1}


@step
def best() -> str:
    return "linear"


@step
def show(rate: float) -> None:
    print(rate)


@pipeline
def report() -> None:
    show(RATES[best()])

# $ crossdock check as_a_dict_key.py
# crossdock: as_a_dict_key.py:18: a dict or a set cannot look up the result of task 'best': it is known only when the pipeline runs [not-known-yet]
#   hint: choose in a step, or write `with when(value == …):`
