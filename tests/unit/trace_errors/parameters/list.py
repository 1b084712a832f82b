from crossdock import pipeline, step


@step
def fit(rates: list[float]) -> float:
    return rates[0]


@pipeline
def training(rates: list[float]) -> None:
    fit(rates)

# $ crossdock run list.py -p rates=0.1,0.2
# crossdock: parameter 'rates' takes list[float], not '0.1,0.2' [bad-parameter]
#   hint: -p 'rates=[0.5, 0.5]'
