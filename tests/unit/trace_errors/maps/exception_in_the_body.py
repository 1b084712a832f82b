from crossdock import map, pipeline, step


@step
def work(name: str) -> int:
    return len(name)


@pipeline
def training() -> None:
    map(lambda name: work(name, {}["size"]), ["a", "b"])

# $ crossdock check exception_in_the_body.py
# crossdock: exception_in_the_body.py:11: pipeline 'training' raised KeyError: 'size' [pipeline-raised]
#   hint: the pipeline function runs once, to see which steps it calls; what needs data belongs into a step
