from crossdock import one_of, pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> float:
    return one_of([fit(0.1), fit(0.2)])

# $ crossdock check one_of_a_list.py
# crossdock: one_of_a_list.py:11: one_of(…) chooses between two or more results [bad-one-of]
#   hint: write one_of(a, b), where a and b are made in different branches
