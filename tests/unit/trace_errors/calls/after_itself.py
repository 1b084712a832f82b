from crossdock import after, pipeline, step


@step
def prepare() -> int:
    return 1


@pipeline
def training() -> None:
    rows = prepare()
    after(rows, rows)

# $ crossdock check after_itself.py
# crossdock: after_itself.py:12: task 'prepare' cannot run after itself [bad-order]
#   hint: drop this after(…)
