from crossdock import pipeline, step


@step
class Model:
    def __init__(self, rate: float) -> None:
        self.rate = rate


@pipeline
def training() -> None:
    Model(0.1)

# $ crossdock check class_as_a_step.py
# crossdock: class_as_a_step.py:4: @step decorates a plain function, not <class 'class_as_a_step.Model'> [bad-step]
#   hint: decorate a `def` with it
