"""The engine that other tests use is a real one."""

from __future__ import annotations

import subprocess

import docker_engine


def test_a_container_runs_and_an_image_is_pushed(docker_host: str, base_image: str, oci_registry: str) -> None:
    docker = [docker_engine.docker_program(), "-H", docker_host]
    said = subprocess.run(
        [*docker, "run", "--rm", base_image, "python", "--version"], capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("Python 3.11")
    name = f"{oci_registry}/base:1"
    subprocess.run([*docker, "tag", base_image, name], check=True)
    subprocess.run([*docker, "push", "-q", name], check=True, capture_output=True)
