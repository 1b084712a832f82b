import nothing_of_this_name

from crossdock import pipeline, step


@step
def fit(rate: float) -> float:
    return nothing_of_this_name.fit(rate)


@pipeline
def training() -> None:
    fit(0.1)

# $ crossdock check missing_library.py
# crossdock: missing_library.py:1: 'missing_library' imports 'nothing_of_this_name', which is not installed here [missing-library]
#   hint: install the distribution that has 'nothing_of_this_name', and name it in the step's requirements
