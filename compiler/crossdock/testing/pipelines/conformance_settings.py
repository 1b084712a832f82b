"""One setting at a time: what a target does not take, it refuses by name."""

from __future__ import annotations

from pathlib import Path

from crossdock import (
    Artifact,
    InputPath,
    OutputPath,
    Resources,
    Secret,
    after,
    container_step,
    pipeline,
    step,
)

copy = container_step(
    name="copy",
    image="docker.io/library/busybox:1",
    command=["cp"],
    args=[InputPath("source"), OutputPath("target")],
    inputs={"source": bytes},
    outputs={"target": bytes},
)


@step
def start() -> int:
    return 1


@step
def give_bytes() -> bytes:
    return b"bytes"


@step
def size_of(data: bytes) -> int:
    return len(data)


@step
def exists(file: Path) -> bool:
    return file.exists()


@pipeline
def container() -> int:
    """A program between two steps."""
    return size_of(copy(source=give_bytes()))


@pipeline
def existing() -> bool:
    """Data that is there already."""
    return exists(Artifact.from_uri("s3://crossdock-conformance/data.csv"))


@pipeline
def image() -> int:
    return start.with_options(image="docker.io/library/python:3.11")()


@pipeline
def requirements() -> int:
    return start.with_options(requirements=["numpy>=1"])()


@pipeline
def cpu_and_memory() -> int:
    return start.with_options(resources=Resources(cpu=0.5, memory="64Mi"))()


@pipeline
def gpu() -> int:
    return start.with_options(resources=Resources(gpu=1, gpu_type="nvidia-l4"))()


@pipeline
def disk() -> int:
    return start.with_options(resources=Resources(disk="1Gi"))()


@pipeline
def shm() -> int:
    return start.with_options(resources=Resources(shm="64Mi"))()


@pipeline
def spot() -> int:
    return start.with_options(resources=Resources(spot=True))()


@pipeline
def labels() -> int:
    return start.with_options(labels={"team": "a", "cost-center": "b_1"})()


@pipeline
def keyring() -> int:
    return start.with_options(secrets={"TOKEN": Secret(keyring="service/user")})()


@pipeline
def kubernetes_secret() -> int:
    return start.with_options(secrets={"TOKEN": Secret(kubernetes="name/key")})()


@pipeline
def aws_secret() -> int:
    return start.with_options(secrets={"TOKEN": Secret(aws="name")})()


@pipeline
def gcp_secret() -> int:
    return start.with_options(secrets={"TOKEN": Secret(gcp="name")})()


@pipeline
def azure_secret() -> int:
    return start.with_options(secrets={"TOKEN": Secret(azure="vault/name")})()


@pipeline
def several() -> int:
    """More than one hole: all of them are named at once."""
    first = start.with_options(
        resources=Resources(gpu=1, gpu_type="nvidia-l4"), secrets={"TOKEN": Secret(azure="vault/name")}
    )()
    second = start.with_options(secrets={"TOKEN": Secret(aws="name")})()
    return after(start(), first, second)
