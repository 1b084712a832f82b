from pathlib import Path

from crossdock import InputPath, OutputPath, container_step, pipeline, step

rank = container_step(
    name="rank",
    image="debian:12-slim",
    command=["sort"],
    args=["-o", OutputPath("ranking"), InputPath("counts")],
    inputs={"counts": Path},
    outputs={"ranking": Path},
)


@step
def count() -> Path:
    return Path("counts")


@pipeline
def ranking() -> None:
    rank(count())

# $ crossdock check container_step_by_position.py
# crossdock: container_step_by_position.py:22: container step 'rank' takes its inputs by name [bad-call]
#   hint: rank(counts=…)
