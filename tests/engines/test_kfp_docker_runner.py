"""The examples, compiled for Kubeflow, run by KFP's own `DockerRunner` on a real Docker Engine.

What that runner (kfp 2.17) does not do, and our specs ask for:

- Conditions and loops over what a task says: it reads the name of the output from that of the channel, and knows one
  name, `Output`. A loop over another one is an error, a condition leaves its sub-DAG out without any. Ours are called
  like the gate and the map, and are renamed here.
- The platform document, resources and node selectors: it does not read them.
- Retries, and `parallelismLimit`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import docker_engine
import pytest
import yaml
from running import Done, Project
from stores import Place

from crossdock_runtime.record import RunRecord, new_run_id

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPT = Path(__file__).with_name("kfp_docker_run.py")


def ok(done: Done) -> Done:
    assert done.code == 0, str(done)
    return done


def renamed(text: str) -> str:
    """A pipeline spec whose tasks call what they say to the platform `Output`, the only name that the runner knows."""
    spec = next(yaml.safe_load_all(text))
    found = json.dumps(spec)
    for component, body in spec["components"].items():
        names = list(body.get("outputDefinitions", {}).get("parameters", {}))
        if len(names) != 1:
            continue
        (name,), task = names, component.removeprefix("comp-")
        for before, after in (
            (f"pipelinechannel--{task}-{name}", f"pipelinechannel--{task}-Output"),
            (f"$.outputs.parameters['{name}']", "$.outputs.parameters['Output']"),
            (f'"outputParameterKey": "{name}"', '"outputParameterKey": "Output"'),
            (f'"{name}": {{"parameterType"', '"Output": {"parameterType"'),
        ):
            found = found.replace(before, after)
    return found


class Compiled:
    """An example on a stack of Kubeflow, with an image in a registry and the plan in a bucket."""

    def __init__(self, folder: Path, example: str, registry: str, place: Place, base: str) -> None:
        self.project = Project(folder)
        self.place = place
        shutil.copy(EXAMPLES / example / "pipeline.py", self.project.folder / "pipeline.py")
        for type_, name, body in (
            ("orchestrator", "kfp", {"flavor": "kubeflow", "config": {"image": base}}),
            ("orchestrator", "here", {"flavor": "local"}),
            ("artifact_store", "bucket", {"flavor": place.flavor, "config": dict(place.config)}),
            ("container_registry", "near", {"flavor": "default", "config": {"uri": registry}}),
        ):
            self.project.write(json.dumps(body), f".crossdock/components/{type_}/{name}.yaml")
        self._stack("kfp", container_registry="near", artifact_store="bucket")
        self._stack("here", artifact_store="default")
        ok(self.project.crossdock("build", "pipeline.py", "--stack", "kfp"))
        ok(self.project.crossdock("export", "pipeline.py", "--stack", "kfp", "-o", "review"))
        ok(self.project.crossdock("publish", "review"))

    def _stack(self, orchestrator: str, **members: str) -> None:
        text = json.dumps({"components": {"orchestrator": orchestrator, **members}})
        self.project.write(text, f".crossdock/stacks/{orchestrator}.yaml")

    def run(self, root: Path, **arguments: Any) -> RunRecord:
        """Run the bundle's spec; the record of the run."""
        run = new_run_id()
        given = json.dumps({**arguments, "crossdock_run": run})
        spec = root / "pipeline.yaml"
        spec.write_text(renamed((self.project.folder / "review" / "pipeline.yaml").read_text()))
        command = [sys.executable, "-W", "ignore", SCRIPT, spec, root, given]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        return RunRecord(self.place.open(), run)

    def here(self, *words: str) -> dict[str, Any]:
        """The tasks of a run on this machine."""
        tasks: dict[str, Any] = ok(self.project.run("--stack", "here", *words, source="pipeline.py")).document["tasks"]
        return tasks


@pytest.fixture
def place(s3_store: Place) -> Place:
    """A bucket that is used without a login, as the runner hands no secrets to containers."""
    fresh = s3_store.fresh()
    open_to_all = {**fresh.config, "anonymous": True}
    for name in ("access_key_id", "secret_access_key"):
        del open_to_all[name]
    return Place("s3", open_to_all, {}, fresh.port)


@pytest.fixture
def registry(use_docker: str, base_image: str, oci_registry: str) -> tuple[str, str]:
    """Where images go, and the base that they are built from."""
    base = f"{oci_registry}/bases/python:3.11"
    for words in (("tag", base_image, base), ("push", base)):
        subprocess.run([docker_engine.docker_program(), *words], check=True, capture_output=True)
    return f"{oci_registry}/kfp", base


def same(record: RunRecord, expected: dict[str, Any]) -> None:
    """Every task ended as it did on this machine, with the same values."""
    ran = 0
    for place, body in expected.items():
        task, *index = place.split(".")
        result = record.task(task, tuple(map(int, index))).result()
        if body["state"] == "skipped":
            assert result is None or result.state == "skipped", place
            continue
        assert result is not None, place
        ran += 1
        for name, output in body["outputs"].items():
            manifest = result.outputs[name]
            assert manifest.type == output["type"], place
            if "value" in output:
                assert manifest.value == output["value"], place
    assert ran > 3


def test_control_flow(tmp_path: Path, registry: tuple[str, str], place: Place) -> None:
    compiled = Compiled(tmp_path, "control_flow", registry[0], place, registry[1])
    root = tmp_path / "root"
    root.mkdir()
    record = compiled.run(root, shops=2)
    expected = compiled.here("-p", "shops=2")
    assert {body["state"] for body in expected.values()} == {"succeeded", "skipped"}
    same(record, expected)


def test_flight_delays(tmp_path: Path, registry: tuple[str, str], place: Place) -> None:
    compiled = Compiled(tmp_path, "flight_delays", registry[0], place, registry[1])
    root = tmp_path / "root"
    root.mkdir()
    record = compiled.run(root, sample=20000)
    expected = compiled.here("-p", "sample=20000")
    same(record, expected)
    assert expected["compare"]["outputs"]["output"]["value"]["fields"]["rmse"] > 0
    references = [json.loads(file.read_text()) for file in root.rglob("executor_output.json")]
    listed = [item for body in references for found in body["artifacts"].values() for item in found["artifacts"]]
    assert {item["metadata"]["uri"].partition("://")[0] for item in listed} == {"s3"}
    assert all(Path(item["uri"]).stat().st_size < 1000 for item in listed), "what the platform copies is small"
