from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> dict[str, float]:
    return {"the loss": fit(0.1)}

# $ crossdock check pipeline_output_name.py
# crossdock: pipeline_output_name.py:9: 'the loss' is no output name [bad-name]
#   hint: take letters (a to z), digits, '-' and '_', at most 63 of them, the first a letter
