from crossdock import pipeline, step


@step
async def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check async_step.py
# crossdock: async_step.py:4: step 'fit' is async, and a step is called and waited for [bad-step]
#   hint: drop `async`, and call asyncio.run(…) in it
