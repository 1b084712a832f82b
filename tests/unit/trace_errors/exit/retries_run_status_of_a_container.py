from crossdock import container_step, on_exit, pipeline, step

tell = container_step(name="tell", image="debian:12-slim", command=["echo", "done"])


@step
def fit(rate: float) -> float:
    return rate


@pipeline
def training() -> None:
    fit(0.1)
    on_exit(tell)

# $ crossdock check retries_run_status_of_a_container.py
# crossdock: retries_run_status_of_a_container.py:14: on_exit(…) is given <ContainerStep tell>, which is no Python step [bad-exit-step]
#   hint: write a @step: a program cannot read how the run ended
