"""Golden specs: what every example compiles to, for every target, byte for byte.

`tests/golden/<example>/<target>/` holds the files of the spec (local's is the plan), or `check.txt`, which says why
the target does not take the example. Write them again, and review the difference in git:

    CROSSDOCK_REGENERATE=1 python -m pytest tests/golden
"""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from crossdock.client import Client
from crossdock.dsl.errors import UnsupportedError

GOLDEN = Path(__file__).parent
ROOT = GOLDEN.parents[1]
EXAMPLES = sorted(file.parent.name for file in ROOT.glob("examples/*/pipeline.py"))
TARGETS = ("docker", "kubeflow", "local", "vertex")
REGENERATE = bool(os.environ.get("CROSSDOCK_REGENERATE"))
LONGEST_DIFFERENCE = 80

each = pytest.mark.parametrize(("example", "target"), [(name, target) for name in EXAMPLES for target in TARGETS])


def compiled(example: str, target: str) -> Mapping[str, str]:
    """The files of an example's spec, or its diagnostics, with paths as seen from the repository."""
    client = Client()
    loaded = client.load(str(ROOT / "examples" / example / "pipeline.py"))
    try:
        spec, _ = client.compile(loaded, target)
    except UnsupportedError as error:
        return {"check.txt": str(error).replace(f"{ROOT}{os.sep}", "") + "\n"}
    return spec.files


def stored(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): file.read_bytes().decode("utf-8") for file in files}


def write(folder: Path, files: Mapping[str, str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode("utf-8"))


def difference(name: str, golden: str, found: str) -> str:
    """What changed, as a diff that a person can read."""
    lines = list(
        difflib.unified_diff(
            golden.splitlines(), found.splitlines(), f"{name} (golden)", f"{name} (compiled)", lineterm=""
        )
    )
    if not lines:
        return f"{name}: the texts differ only in how lines end"
    more = len(lines) - LONGEST_DIFFERENCE
    return "\n".join([*lines[:LONGEST_DIFFERENCE], *([f"… and {more} lines more"] if more > 0 else [])])


@each
def test_golden(example: str, target: str) -> None:
    folder = GOLDEN / example / target
    found = compiled(example, target)
    if REGENERATE:
        assert not os.environ.get("CI"), "nothing is regenerated where CI is set"
        write(folder, found)
    golden = stored(folder)
    parts = [f"{name}: no golden" for name in found if name not in golden]
    parts += [f"{name}: a golden of nothing" for name in golden if name not in found]
    parts += [
        difference(name, golden[name], found[name]) for name in found if name in golden and golden[name] != found[name]
    ]
    if parts:
        again = "to accept: CROSSDOCK_REGENERATE=1 python -m pytest tests/golden"
        pytest.fail("\n".join([f"{folder.relative_to(ROOT)} differs", *parts, again]), pytrace=False)


def test_no_golden_without_an_example() -> None:
    folders = {f"{file.parent.name}/{file.name}" for file in GOLDEN.glob("*/*") if file.is_dir()}
    assert folders - {"__pycache__"} == {f"{name}/{target}" for name in EXAMPLES for target in TARGETS}


def test_ci_never_writes(tmp_path: Path) -> None:
    """A run in CI that asks to regenerate fails, and leaves the goldens as they are."""
    before = {str(file): file.read_bytes() for file in GOLDEN.glob("*/*/*")}
    env = {
        **os.environ,
        "CI": "true",
        "CROSSDOCK_REGENERATE": "1",
        "PYTEST_ADDOPTS": f"-p no:cacheprovider --basetemp={tmp_path}/inner",
    }
    command = [sys.executable, "-m", "pytest", "-q", f"{Path(__file__)}::test_golden"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "nothing is regenerated where CI is set" in done.stdout
    assert {str(file): file.read_bytes() for file in GOLDEN.glob("*/*/*")} == before
