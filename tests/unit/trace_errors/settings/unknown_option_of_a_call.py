from crossdock import Resources, pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit.with_options(resource=Resources(cpu=1))(0.1)

# $ crossdock check unknown_option_of_a_call.py
# crossdock: unknown_option_of_a_call.py:11: there is no setting 'resource' [unknown-setting]
#   hint: did you mean 'resources'? there is: resources, retry, timeout, cache, image, requirements, env, secrets, labels, targets
