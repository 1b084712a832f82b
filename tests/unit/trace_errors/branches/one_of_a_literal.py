from crossdock import one_of, pipeline, step, when


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(fast: bool = True) -> float:
    with when(fast):
        loss = fit(0.1)
    return one_of(loss, 0.5)

# $ crossdock check one_of_a_literal.py
# crossdock: one_of_a_literal.py:13: one_of(…) is given 0.5, which is no result of a step [bad-one-of]
#   hint: return it from a step in the else branch: with name.otherwise():
