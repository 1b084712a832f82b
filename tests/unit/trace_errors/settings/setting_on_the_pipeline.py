from crossdock import Retry, pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline(retry=Retry(3))
def training() -> None:
    fit(0.1)

# $ crossdock check setting_on_the_pipeline.py
# crossdock: setting_on_the_pipeline.py:9: @pipeline takes no 'retry' [unknown-setting]
#   hint: write settings=Settings(retry=…), the default of all its steps
