from crossdock import RunStatus, on_exit, pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@step
def tell(status: RunStatus, channel: str) -> None:
    print(status, channel)


@pipeline
def training() -> None:
    fit(0.1)
    on_exit(tell, chanel="#ml")

# $ crossdock check unknown_input.py
# crossdock: pipeline 'training': 2 problems [bad-pipeline]
# - unknown_input.py:17: step 'tell' has no input 'chanel' [bad-call]
#   hint: did you mean 'channel'? there is: status, channel
# - unknown_input.py:17: the exit step 'tell' is given no 'channel' [bad-exit-step]
#   hint: on_exit(tell, channel=…)
