from crossdock import pipeline, step


@step
def good() -> bool:
    return True


@step
def deploy() -> None:
    print("deployed")


@pipeline
def release() -> None:
    if good():
        deploy()

# $ crossdock check if_on_the_value_itself.py
# crossdock: if_on_the_value_itself.py:16: a plain Python if, while, and, or, not cannot see the result of task 'good': it is known only when the pipeline runs [not-known-yet]
#   hint: write `with when(value):`, or `with when(~value):` for `not`
