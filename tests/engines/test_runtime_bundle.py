"""The steps of flight_delays in an environment that has only the runtime bundle, obstore and their requirements."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossdock.ir import Plan
from crossdock.passes.load import load
from crossdock.review.runtime_bundle import runtime_bundle
from crossdock_runtime.inputs import Resolver
from crossdock_runtime.record import RunRecord
from crossdock_runtime.state import read_state
from crossdock_runtime.store import Store

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "flight_delays"
RUN = "bundled"


def test_the_same_bytes_again() -> None:
    assert runtime_bundle() == runtime_bundle()


def test_it_holds_what_runs_and_nothing_that_compiles(tmp_path: Path) -> None:
    bundle = tmp_path / "runtime.zip"
    bundle.write_bytes(runtime_bundle())
    with zipfile.ZipFile(bundle) as found:
        names = found.namelist()
    assert names == sorted(names)
    assert {"crossdock/__init__.py", "crossdock/dsl/step.py", "crossdock_runtime/__main__.py"} <= set(names)
    assert not [name for name in names if not name.startswith(("crossdock/__init__", "crossdock/dsl/", "crossdock_r"))]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment without Crossdock."""
    folder = tmp_path_factory.mktemp("bundle") / "env"
    plan = load(str(EXAMPLE / "pipeline.py")).plan
    required = {item for task in plan.tasks for item in task.settings.requirements or ()}
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python", "-c", ROOT / "constraints.txt",
         "obstore", *sorted(required)],
        check=True,
    )  # fmt: skip
    return folder / "bin" / "python"


def units(plan: Plan, store: Store) -> Iterator[tuple[str, str]]:
    """Each task and item, in an order in which they can run; items are known once their producer ran."""
    for task in plan.tasks:
        record = RunRecord(store, RUN)
        parameters = record.parameters(plan.parameters)
        for index in Resolver(store, plan, record, parameters).indices(task.id):
            yield task.id, ".".join(map(str, index))


def test_flight_delays(python: Path, tmp_path: Path) -> None:
    plan = load(str(EXAMPLE / "pipeline.py")).plan
    bundle = tmp_path / "runtime.zip"
    bundle.write_bytes(runtime_bundle())
    store = Store.open(tmp_path / "store")
    store.create(f"plans/{plan.digest}.json", plan.to_json().encode())
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(bundle),
        "CROSSDOCK_PROJECT": str(ROOT),
        "CROSSDOCK_STORE": str(tmp_path / "store"),
        "CROSSDOCK_RUN": RUN,
    }
    for name in ("pydantic", "networkx", "click", "yaml", "rich", "crossdock.client"):
        done = subprocess.run([python, "-c", f"import {name}"], env=env, capture_output=True, text=True, check=False)
        assert "ModuleNotFoundError" in done.stderr, name
    command = ["-m", "crossdock_runtime", "--contract", "1", "--plan", f"$CROSSDOCK_STORE/plans/{plan.digest}.json"]
    for task, index in units(plan, store):
        done = subprocess.run(
            [python, *command, "--task", task, "--index", index, "--param", "sample=20000"],
            env=env, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{task} {index}\n{done.stdout}\n{done.stderr}"
    state = read_state(store, RUN)
    assert state.status == "succeeded"
    assert state.document["parameters"]["sample"] == 20000
    assert {task.state for task in state.tasks} <= {"succeeded", "skipped"}
    report = next(task for task in state.tasks if task.task == "validate").result
    assert report is not None
    assert "46595" in json.dumps([item.value for item in report.outputs.values()])
