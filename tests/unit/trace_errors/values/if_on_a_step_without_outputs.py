from crossdock import pipeline, step


@step
def deploy() -> None:
    print("deployed")


@pipeline
def release() -> None:
    if deploy():
        deploy()

# $ crossdock check if_on_a_step_without_outputs.py
# crossdock: if_on_a_step_without_outputs.py:11: a plain Python if, while, and, or, not cannot see task 'deploy': it is known only when the pipeline runs [not-known-yet]
#   hint: write `with when(value == …):`, and combine comparisons with &, | and ~
