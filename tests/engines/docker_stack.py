"""A project with a stack whose orchestrator is Docker, for the tests that run containers."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import docker_engine
from running import Done, Project

from crossdock.review.runtime_bundle import runtime_bundle

RUNTIME_IMAGE = "crossdock-test/runtime:1"
PROJECT = "/crossdock/project"
_DOCKERFILE = f"""\
FROM {docker_engine.BASE_IMAGE}
COPY obstore /crossdock/obstore
COPY runtime.zip /crossdock/runtime.zip
ENV PYTHONPATH=/crossdock/runtime.zip:/crossdock/obstore CROSSDOCK_PROJECT={PROJECT}
"""
_STACK = "components:\n  orchestrator: containers\n  artifact_store: default\n"


def make_runtime_image(host: str) -> str:
    """An image with the runtime of this checkout, and no project: tests mount theirs."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        (folder / "runtime.zip").write_bytes(runtime_bundle())
        uv = Path(sys.executable).with_name("uv")
        target = ["--target", str(folder / "obstore"), "--python-version", "3.11", "--python-platform", "linux"]
        subprocess.run([uv, "pip", "install", "--quiet", *target, "obstore", "pydantic"], check=True)
        return build(host, RUNTIME_IMAGE, folder, _DOCKERFILE)


def build(host: str, image: str, folder: Path, dockerfile: str) -> str:
    """Build an image of a folder."""
    command = [docker_engine.docker_program(), "-H", host, "build", "-q", "-t", image, "-f", "-", str(folder)]
    done = subprocess.run(command, input=dockerfile, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return image


class DockerProject(Project):
    """A project whose stack `docker` runs tasks in the runtime image, with the project mounted."""

    def __init__(self, folder: Path, **config: Any) -> None:
        super().__init__(folder)
        self.configure(**config)

    def configure(self, **config: Any) -> None:
        """Set the orchestrator's configuration."""
        body = {
            "image": RUNTIME_IMAGE,
            "build": False,
            "volumes": [f"{self.folder}:{PROJECT}:ro"],
            **config,
        }
        self.write(
            json.dumps({"flavor": "docker", "config": body}), ".crossdock/components/orchestrator/containers.yaml"
        )
        self.write(
            "components:\n  orchestrator: containers\n  artifact_store: default\n", ".crossdock/stacks/docker.yaml"
        )

    def run(self, *arguments: str, source: str = "pipe.py", env: dict[str, str] | None = None) -> Done:
        """Run `crossdock run pipe.py --stack docker … --json`."""
        return super().run("--stack", "docker", *arguments, source=source, env=env)
