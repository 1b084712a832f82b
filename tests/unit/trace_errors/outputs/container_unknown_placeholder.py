from pathlib import Path

from crossdock import InputPath, OutputPath, container_step, pipeline, step

rank = container_step(
    name="rank",
    image="debian:12-slim",
    command=["sort"],
    args=["-o", OutputPath("ranking"), InputPath("count")],
    inputs={"counts": Path},
    outputs={"ranking": Path},
)


@step
def count() -> Path:
    return Path("counts")


@pipeline
def ranking() -> None:
    rank(counts=count())

# $ crossdock check container_unknown_placeholder.py
# crossdock: container_unknown_placeholder.py:5: InputPath(name='count') names no input of 'rank' [bad-container-step]
#   hint: did you mean 'counts'? there is: counts
