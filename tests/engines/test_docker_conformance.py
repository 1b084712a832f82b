"""The conformance kit on a real Docker Engine: each task in a container."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from typing import Any

import docker_engine
import docker_stack
import pytest

from crossdock.stacks import Orchestrator
from crossdock.testing import RunConformance
from crossdock.testing.project import shared
from crossdock_adapters.orchestrators.docker import DockerConfig, DockerOrchestrator

IMAGE = "crossdock-test/conformance:1"
MARKS = "crossdock-conformance-marks"
COUNT = 64
_numbers = itertools.count()


@pytest.fixture(scope="module")
def conformance_image(docker_host: str, runtime_image: str) -> Iterator[str]:
    """The runtime image with the kit's pipelines, and with folders that all attempts of a task can write to."""
    docker = [docker_engine.docker_program(), "-H", docker_host]
    subprocess.run([*docker, "tag", docker_engine.BASE_IMAGE, "busybox:1"], check=True)  # that of the kit's program
    made = f"RUN for number in $(seq 0 {COUNT - 1}); do mkdir -p -m 777 /scratch/$number; done"
    dockerfile = f"FROM {runtime_image}\n{made}\nCOPY . {docker_stack.PROJECT}\n"
    yield docker_stack.build(docker_host, IMAGE, shared(), dockerfile)
    subprocess.run([*docker, "volume", "rm", "-f", MARKS], capture_output=True, check=True)


class TestDocker(RunConformance):
    runs_large_cases = False
    sdk = ("docker", "requests")

    @pytest.fixture
    def orchestrator(self, conformance_image: str, use_docker: str) -> Orchestrator[Any]:
        volumes = (f"{MARKS}:/scratch",)
        config = DockerConfig(image=conformance_image, build=False, volumes=volumes, cap_resources=True)
        return DockerOrchestrator("docker", config)

    @pytest.fixture
    def scratch(self) -> str:
        return f"/scratch/{next(_numbers)}"
