from crossdock import step


@step
def fit(rate: float) -> float:
    return rate

# $ crossdock check no_pipeline.py
# crossdock: no_pipeline.py has no pipeline [no-pipeline]
#   hint: decorate a function with @pipeline
