from collections.abc import Iterator

from crossdock import pipeline, step


@step
def rates() -> Iterator[float]:
    yield 0.1


@pipeline
def training() -> None:
    rates()

# $ crossdock check generator_step.py
# crossdock: generator_step.py:6: step 'rates' is a generator, and a step returns what it makes [bad-step]
#   hint: return a list
