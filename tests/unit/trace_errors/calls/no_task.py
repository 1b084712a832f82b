from crossdock import pipeline


@pipeline
def training(rows: int = 3) -> int:
    return rows

# $ crossdock check no_task.py
# crossdock: no_task.py:4: pipeline 'training' calls no step [empty-pipeline]
#   hint: call one in it: a plan is made of the steps that the function calls
