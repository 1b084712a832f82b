from crossdock import pipeline, step


@step
def fit(rates: list[float]) -> float:
    return rates[0]


@pipeline
def training(rates: list[float]) -> None:
    fit(rates)

# $ crossdock run element_of_a_list.py -p rates=[0.1,"slow"]
# crossdock: parameter 'rates' takes list[float], not '[0.1,slow]' (str) [bad-parameter]
#   hint: -p 'rates=[0.5, 0.5]'
