"""An export is the same bytes under every hash seed, user, folder, time zone, locale and Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from running import CROSSDOCK, LIMIT

from crossdock.dsl.types import type_text

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("local", "docker", "kubeflow")
ANYWHERE = [("container_step", "local"), *((name, target) for name in ("control_flow", "tangle") for target in TARGETS)]
EXPORTED = [*ANYWHERE, ("flight_delays", "local")]  # which needs pandas
TANGLE = """
from crossdock import pipeline, step

@step
def start(number: int) -> int:
    return number

@step
def mix(one: int, other: int) -> int:
    return one + other

@pipeline
def tangle() -> None:
    found = [start(number) for number in range(7)]
    for number in range(120):
        found.append(mix(found[-1 - number * number % 7], found[-1 - number * 5 % 6]))
"""
OTHERS = (  # what differs, and the environment and folder's name for it
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "USER": "somebody"},
    {"PYTHONHASHSEED": "4711", "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "0", "COLUMNS": "20"},
)


def copied(folder: Path) -> Path:
    """The examples in a project of their own, elsewhere."""
    for example in ("control_flow", "flight_delays", "container_step"):
        shutil.copytree(
            ROOT / "examples" / example, folder / "examples" / example, ignore=shutil.ignore_patterns("__pycache__")
        )
    (folder / "examples/tangle").mkdir()
    (folder / "examples/tangle/pipeline.py").write_text(TANGLE, encoding="utf-8")
    (folder / "pyproject.toml").touch()
    return folder


def export(crossdock: list[str], project: Path, target: str, example: str, **env: str) -> dict[str, bytes]:
    """The files of a bundle, by name; exported from the project's folder."""
    output = project / "out" / example / target
    words = [*crossdock, "export", f"examples/{example}/pipeline.py", "--target", target, "-o", str(output)]
    done = subprocess.run(
        words, cwd=project, env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=LIMIT
    )
    assert done.returncode == 0, done.stderr
    found = {file.name: file.read_bytes() for file in output.iterdir()}
    for name, data in found.items():
        for word in (str(project), str(Path.home()), "/tmp"):
            assert word.encode() not in data, f"{name} names {word}"
    return found


@pytest.mark.parametrize(("example", "target"), EXPORTED)
def test_user_folder_time_zone_and_hash_seed_do_not_matter(tmp_path: Path, example: str, target: str) -> None:
    first = copied(tmp_path / "first")
    expected = export([CROSSDOCK], first, target, example, PYTHONHASHSEED="0", HOME=str(tmp_path), TZ="UTC")
    assert len(expected) >= 4
    for number, env in enumerate(OTHERS):
        home = tmp_path / f"home {number}"
        home.mkdir()
        other = copied(tmp_path / f"another folder {number}" / "deeper")
        assert export([CROSSDOCK], other, target, example, HOME=str(home), **env) == expected


def pythons() -> list[str]:
    """The supported versions of Python that are on this machine beside the one that runs the tests."""
    uv = str(Path(sys.executable).with_name("uv"))
    found = []
    for version in ("3.11", "3.12", "3.13", "3.14"):
        if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
            continue
        command = [uv, "python", "find", "--no-project", "--no-python-downloads", "--system", version]
        path = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        versions = Path.home() / ".pyenv" / "versions"
        others = sorted(str(item) for item in versions.glob(f"{version}.*/bin/python"))
        found += [path] if path else others[:1]
    return found


def test_a_type_that_moved_within_the_library_keeps_its_name() -> None:
    moved = type("Path", (), {"__module__": "pathlib._local"})
    assert type_text(moved) == type_text(Path) == "pathlib.Path"


@pytest.mark.skipif("CI" not in os.environ, reason="installs Crossdock for each Python that is here: in CI only")
def test_the_version_of_python_does_not_matter(tmp_path: Path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    first = copied(tmp_path / "first")
    expected = {key: export([CROSSDOCK], first, key[1], key[0]) for key in ANYWHERE}
    found = pythons()
    for number, python in enumerate(found):
        venv = tmp_path / f"venv{number}"
        subprocess.run([uv, "venv", "--quiet", "--python", python, str(venv)], check=True)
        inside = str(venv / "bin" / "python")
        install = [uv, "pip", "install", "--quiet", "--python", inside, "-c", "constraints.txt", "."]
        subprocess.run(install, cwd=ROOT, check=True)
        project = copied(tmp_path / f"project{number}")
        for (example, target), files in expected.items():
            again = export([str(venv / "bin" / "crossdock")], project, target, example)
            differing = [name for name in files if again[name] != files[name]]
            assert (python, example, target, differing) == (python, example, target, [])
    print(f"compared with {len(found)} other versions: {', '.join(found) or 'none is on this machine'}")
