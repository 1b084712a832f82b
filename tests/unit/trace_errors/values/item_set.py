from crossdock import pipeline, step


@step
def rates() -> dict[str, float]:
    return {}


@step
def show(rates: dict[str, float]) -> None:
    print(rates)


@pipeline
def report() -> None:
    found = rates()
    found["a"] = 1.0
    show(found)

# $ crossdock check item_set.py
# crossdock: item_set.py:17: an assignment cannot change the result of task 'rates': it is known only when the pipeline runs [not-known-yet]
#   hint: return the changed value from a step
