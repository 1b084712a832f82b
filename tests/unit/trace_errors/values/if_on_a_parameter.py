from crossdock import pipeline, step


@step
def deploy() -> None:
    print("deployed")


@pipeline
def release(dry: bool = False) -> None:
    if not dry:
        deploy()

# $ crossdock check if_on_a_parameter.py
# crossdock: if_on_a_parameter.py:11: a plain Python if, while, and, or, not cannot see the parameter 'dry': it is known only when the pipeline runs [not-known-yet]
#   hint: write `with when(value):`, or `with when(~value):` for `not`
