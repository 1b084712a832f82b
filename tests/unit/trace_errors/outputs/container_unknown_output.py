from pathlib import Path

from crossdock import OutputPath, container_step, pipeline, step

make = container_step(
    name="make", image="debian:12-slim", command=["touch", OutputPath("file")], outputs={"file": Path}
)


@step
def show(file: Path) -> None:
    print(file)


@pipeline
def greeting() -> None:
    show(make().fiel)

# $ crossdock check container_unknown_output.py
# crossdock: container_unknown_output.py:17: the step of task 'make' never produces an output 'fiel' [unknown-output]
#   hint: did you mean 'file'? there is: file
