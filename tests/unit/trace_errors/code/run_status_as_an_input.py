from crossdock import RunStatus, pipeline, step


@step
def tell(status: RunStatus) -> None:
    print(status)


@pipeline
def training() -> None:
    tell()

# $ crossdock check run_status_as_an_input.py
# crossdock: run_status_as_an_input.py:11: input 'status' of step 'tell' is a RunStatus, which is known only at the end [wrong-type]
#   hint: write on_exit(tell)
