from pathlib import Path

from crossdock import InputPath, container_step, pipeline, step

rank = container_step(
    name="rank",
    image="debian:12-slim",
    command=["sort"],
    args=[InputPath("counts")],
    inputs={"counts": Path},
    outputs={"ranking": Path},
)


@step
def count() -> Path:
    return Path("counts")


@pipeline
def ranking() -> None:
    rank(counts=count())

# $ crossdock check container_output_never_written.py
# crossdock: container_output_never_written.py:5: container step 'rank' never produces its output 'ranking' [bad-container-step]
#   hint: put OutputPath('ranking') among its args
