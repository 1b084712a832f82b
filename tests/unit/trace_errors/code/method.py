from crossdock import pipeline, step


class Model:
    @step
    def fit(self, rate: float) -> float:
        return rate


model = Model()


@pipeline
def training() -> None:
    model.fit(0.1)

# $ crossdock check method.py
# crossdock: method.py:5: step 'fit' is a method, which a container cannot call [bad-annotation]
#   hint: make it a function at the top level of a module
