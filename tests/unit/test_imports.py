"""Nothing is imported before it is needed: asserted on `sys.modules`, in a process for each claim."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDORS = {
    "airflow", "airflow_client", "azure", "boto3", "botocore", "docker", "google", "kfp", "kfp_kubernetes",
    "kubernetes", "sagemaker",
}  # fmt: skip
HEAVY = {"numpy", "pandas", "polars", "pyarrow", "scipy", "sklearn", "torch"}
COMPILE_TIME = {"click", "networkx", "platformdirs", "pydantic", "pydantic_core", "rich", "yaml"}
TRANSLATORS = sorted(path.parent.name for path in ROOT.glob("adapters/crossdock_adapters/orchestrators/*/translate.py"))

TOLD = """
import atexit, json, sys
before = set(sys.modules)
atexit.register(lambda: print("MODULES", json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr))
"""
STEPS = """
from dataclasses import dataclass

from crossdock import pipeline, step


@dataclass(frozen=True)
class Score:
    name: str
    value: float


@step
def score(word: str) -> Score:
    return Score(word, len(word) / 2)


@pipeline
def scores() -> Score:
    return score("chess")
"""


def modules(code: str, folder: Path, **env: str) -> set[str]:
    """What a program has imported when it ends, apart from what the interpreter starts with."""
    done = subprocess.run(
        [sys.executable, "-c", TOLD + code],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("MODULES "))
    found: list[str] = json.loads(line.removeprefix("MODULES "))
    return set(found)


def packages(found: set[str]) -> set[str]:
    """Their top-level names, without the standard library's."""
    return {name.partition(".")[0] for name in found} - sys.stdlib_module_names - {"__mp_main__"}


def test_import_crossdock_loads_nothing(tmp_path: Path) -> None:
    assert modules("import crossdock", tmp_path) - {"__future__"} == {"crossdock"}


def test_every_name_of_the_face_can_be_had(tmp_path: Path) -> None:
    found = packages(modules("from crossdock import *", tmp_path))
    assert found & VENDORS == set()
    assert found & HEAVY == set()


def test_the_dsl_is_standard_library_only(tmp_path: Path) -> None:
    found = modules("import crossdock.dsl", tmp_path)
    assert packages(found) == {"crossdock"}
    assert {name for name in found if name.startswith("crossdock.")} == {
        name for name in found if name.startswith("crossdock.dsl")
    }


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_loads_the_command_group_and_nothing_else(words: list[str], tmp_path: Path) -> None:
    code = f"import sys; sys.argv = ['crossdock', *{words!r}]; from crossdock.cli import main; main()"
    found = modules(code, tmp_path)
    assert packages(found) == {"click", "crossdock"}
    assert {name for name in found if name.startswith("crossdock")} == {
        "crossdock", "crossdock.cli", "crossdock.cli.main",
    }  # fmt: skip


@pytest.mark.parametrize("target", TRANSLATORS)
def test_a_translation_loads_no_sdk_and_no_graph_library(target: str, tmp_path: Path) -> None:
    (tmp_path / "scores.py").write_text(STEPS)
    code = f"from crossdock.client import Client; Client().compile('scores.py', {target!r})"
    found = packages(modules(code, tmp_path, HOME=str(tmp_path)))
    assert found & (VENDORS | HEAVY | {"networkx", "obstore", "rich"}) == set()


def test_there_are_translators() -> None:
    assert "kubeflow" in TRANSLATORS


def test_a_local_run_loads_no_sdk_and_no_graph_library(tmp_path: Path) -> None:
    (tmp_path / "scores.py").write_text(STEPS)
    code = "from crossdock.client import Client; Client().run('scores.py')"
    found = packages(modules(code, tmp_path, HOME=str(tmp_path), CROSSDOCK_STORE=str(tmp_path / "store")))
    assert found & (VENDORS | HEAVY | {"networkx", "obstore", "rich", "yaml"}) == set()


@pytest.fixture(scope="module")
def of_the_runtime(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules of the command that runs a step of a published plan."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "scores.py").write_text(STEPS)
    publish = """
from crossdock.client import Client
from crossdock_runtime.store import Store

plan = Client().load("scores.py").plan
Store.open("store").create(f"plans/{plan.digest}.json", plan.to_json().encode())
print(plan.digest)
"""
    told = subprocess.run([sys.executable, "-c", publish], cwd=folder, capture_output=True, text=True, check=True)
    words = ["--contract", "1", "--plan", f"{folder}/store/plans/{told.stdout.strip()}.json", "--task", "score"]
    return modules(
        f"import runpy, sys; sys.argv[1:] = {words!r}; runpy.run_module('crossdock_runtime', run_name='__main__')",
        folder,
    )


def test_the_runtime_runs_a_step_of_values_with_the_standard_library_only(of_the_runtime: set[str]) -> None:
    found = of_the_runtime
    assert packages(found) == {"crossdock", "crossdock_runtime", "scores"}
    assert {name for name in found if name.startswith("crossdock.")} == {
        name for name in found if name.startswith("crossdock.dsl")
    }


@pytest.mark.parametrize(
    "module", ["asyncio", "decimal", "multiprocessing", "subprocess", "socket", "unittest", "uuid"]
)
def test_the_runtime_leaves_slow_parts_of_the_standard_library_alone(module: str, of_the_runtime: set[str]) -> None:
    assert module not in of_the_runtime


def test_every_runtime_module_imports_without_what_compiles(tmp_path: Path) -> None:
    names = sorted(
        ".".join(path.relative_to(ROOT / "runtime").with_suffix("").parts)
        for path in (ROOT / "runtime").rglob("*.py")
        if path.stem not in ("__init__", "__main__")
    )
    assert len(names) > 20
    found = packages(modules("".join(f"import {name}\n" for name in names), tmp_path))
    assert found & (COMPILE_TIME | VENDORS | HEAVY | {"obstore"}) == set()
