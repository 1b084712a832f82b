from crossdock import one_of, pipeline, step, when


@step
def fit(rate: float) -> float:
    return rate


@step
def give_up() -> str:
    return "no"


@pipeline
def training(fast: bool = True) -> object:
    with when(fast) as quick:
        loss = fit(0.1)
    with quick.otherwise():
        reason = give_up()
    return one_of(loss, reason)

# $ crossdock check one_of_different_types.py
# crossdock: one_of_different_types.py:20: one_of(…) mixes float with str [bad-one-of]
#   hint: return the same type from both steps
