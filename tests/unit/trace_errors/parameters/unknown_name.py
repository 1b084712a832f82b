from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training(rate: float = 0.1) -> None:
    fit(rate)

# $ crossdock run unknown_name.py -p rtae=0.2
# crossdock: pipeline 'training' has no parameter 'rtae' [unknown-parameter]
#   hint: did you mean 'rate'? there is: rate
