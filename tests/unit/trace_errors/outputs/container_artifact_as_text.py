from pathlib import Path

from crossdock import InputValue, container_step, pipeline, step

show = container_step(
    name="show",
    image="debian:12-slim",
    command=["echo"],
    args=[InputValue("counts")],
    inputs={"counts": Path},
)


@step
def count() -> Path:
    return Path("counts")


@pipeline
def ranking() -> None:
    show(counts=count())

# $ crossdock check container_artifact_as_text.py
# crossdock: container_artifact_as_text.py:5: InputValue(name='counts') of 'show' is an artifact, which has no text [bad-container-step]
#   hint: write InputPath('counts')
