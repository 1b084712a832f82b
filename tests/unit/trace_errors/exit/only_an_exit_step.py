from crossdock import RunStatus, on_exit, pipeline, step


@step
def tell(status: RunStatus) -> None:
    print(status)


@pipeline
def training() -> None:
    on_exit(tell)

# $ crossdock check only_an_exit_step.py
# crossdock: only_an_exit_step.py:9: pipeline 'training' calls no step [empty-pipeline]
#   hint: call one in it: a plan is made of the steps that the function calls
