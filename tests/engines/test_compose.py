"""Compose files, held to Compose: to the schema of its makers, and to Compose itself, which runs one without us."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import compose_tool
import docker_stack
import jsonschema
import pytest
import yaml
from docker_stack import DockerProject

from crossdock.ir import check_support
from crossdock.testing.project import loaded
from crossdock_adapters.orchestrators.docker import DockerConfig, DockerOrchestrator

GOLDEN = Path(__file__).parents[1] / "golden"
PIPELINE = """
    from crossdock import map, pipeline, step, when

    @step(env={"PRICE": "100 $HOME ${x} %"})
    def numbers(count: int) -> list[int]:
        import os
        assert os.environ["PRICE"] == "100 $HOME ${x} %", os.environ["PRICE"]
        return list(range(count))

    @step
    def square(number: int) -> int:
        return number * number

    @step
    def total(squares: list[int]) -> int:
        return sum(squares)

    @step
    def praise(total: int) -> str:
        return f"{total} is much"

    @pipeline
    def squares(count: int = 4) -> int:
        found = total(map(square, numbers(count)))
        with when(found > 10):
            praise(found)
        with when(found > 1000):
            praise(found)
        return found
"""


@pytest.fixture(scope="module")
def validator() -> Any:
    """Of Compose files."""
    return jsonschema.Draft7Validator(compose_tool.schema())  # its $schema spells draft 7 with https


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*/docker/compose.yaml")), ids=lambda file: file.parts[-3])
def test_the_examples_are_compose_files(validator: Any, file: Path) -> None:
    validator.validate(yaml.safe_load(file.read_text(encoding="utf-8")))


def test_the_kit_s_pipelines_are_compose_files(validator: Any) -> None:
    config = DockerConfig(network="nets", volumes=("/data:/data:ro", "named:/named"), max_workers=2)
    orchestrator = DockerOrchestrator("docker", config)
    taken = {}
    for name, found in loaded().items():
        problems, _ = check_support(found.plan, "docker", orchestrator.features, orchestrator.rules)
        if not problems:
            taken[name] = yaml.safe_load(orchestrator.translate(found.plan).main)
    assert len(taken) > 50
    wrong = {name: error.message for name, body in taken.items() for error in validator.iter_errors(body)}
    assert wrong == {}


def test_the_schema_refuses(validator: Any) -> None:
    """A validator that takes everything shows nothing."""
    assert list(validator.iter_errors({"services": {"a": {"image": "b", "mem_limits": "2g"}}}))


def test_compose_alone_runs_what_was_exported(tmp_path: Path, use_docker: str, runtime_image: str) -> None:
    project = DockerProject(tmp_path)
    project.write(PIPELINE)
    assert project.crossdock("export", "pipe.py", "--stack", "docker", "-o", "review").code == 0
    done = project.crossdock("publish", "review")
    assert done.code == 0, str(done)
    env = {"CROSSDOCK_RUN": "by-hand", "CROSSDOCK_USER": f"{os.getuid()}:{os.getgid()}", "CROSSDOCK_PARAM_count": "5"}
    command = [str(compose_tool.compose()), "-p", "byhand", "-f", "review/compose.yaml"]
    try:
        done = project.command(*command, "up", "--no-color", env=env)
        assert done.code == 0, str(done)
    finally:
        project.command(*command, "down", env=env)
    outputs = project.crossdock("runs", "outputs", "by-hand", "--json").document
    assert outputs["total.output"]["value"] == 30
    assert outputs["praise.output"]["value"] == "30 is much"
    shown = project.crossdock("runs", "show", "by-hand", "--json").document
    assert shown["status"] == "succeeded"
    assert shown["parameters"]["count"] == 5
    assert shown["tasks"]["praise-2"]["state"] == "skipped"
    ours = project.run("-p", "count=5", "--no-cache").document["tasks"]
    assert {name: body["outputs"] for name, body in ours.items() if body["state"] == "succeeded"} == {
        name: body["outputs"] for name, body in shown["tasks"].items() if body["state"] == "succeeded"
    }


def test_the_image_is_the_runtime_s(use_docker: str, runtime_image: str) -> None:
    """The image of these tests speaks the contract of this checkout."""
    command = ["docker", "run", "--rm", docker_stack.RUNTIME_IMAGE, "python", "-m", "crossdock_runtime", "--help"]
    assert "usage: python -m crossdock_runtime" in subprocess.check_output(command, text=True)
