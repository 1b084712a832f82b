"""A materializer of one's own, by a class in the annotation and by an entry point of an installed distribution."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MESHES = """\
from pathlib import Path
from typing import Any

from crossdock import Materializer


class Mesh:
    def __init__(self, points: list[float]) -> None:
        self.points = points


class MeshMaterializer(Materializer):
    types = ("meshes.Mesh",)
    version = {version}

    def save(self, value: Mesh, folder: Path) -> None:
        (folder / "points.txt").write_text("\\n".join(map(repr, value.points)))

    def load(self, folder: Path, as_type: type | None) -> Mesh:
        return Mesh([float(line) for line in (folder / "points.txt").read_text().split()])
"""

PIPELINE = """\
from typing import Annotated

import meshes
from crossdock import map, pipeline, step


@step
def make(size: int) -> {annotation}:
    return meshes.Mesh([0.1] * size)


@step
def measure(mesh: meshes.Mesh) -> int:
    return len(mesh.points)


@pipeline
def shapes() -> list[int]:
    return map(lambda size: measure(make(size)), [1, 3])
"""


def run(folder: Path, **environment: str) -> dict[str, Any]:
    """Run the pipeline in a process of its own; the document of the run."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("crossdock")), "run", "shapes.py", "--json"],
        cwd=folder,
        env={**os.environ, "CROSSDOCK_STORE": str(folder.parent / "store"), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    found["log"] = done.stderr
    return found


def put(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def states(document: dict[str, Any]) -> dict[str, str]:
    return {name: task["state"] for name, task in document["tasks"].items()}


def stored(folder: Path) -> list[str]:
    return sorted({file.name for file in (folder.parent / "store" / "data").rglob("*") if file.is_file()})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    return place


def test_by_a_class_in_the_annotation(folder: Path) -> None:
    put(folder, "meshes.py", MESHES.format(version=1))
    put(folder, "shapes.py", PIPELINE.format(annotation="Annotated[meshes.Mesh, meshes.MeshMaterializer]"))
    document = run(folder)
    assert stored(folder) == ["points.txt"]
    assert document["tasks"]["measure.1"]["outputs"]["output"]["value"] == 3
    assert set(states(run(folder)).values()) == {"cached"}


def test_by_an_entry_point_of_a_distribution(folder: Path) -> None:
    site = folder.parent / "site"
    put(site, "meshes.py", MESHES.format(version=1))
    put(site, "meshes-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: meshes\nVersion: 1.0\n")
    put(site, "meshes-1.0.dist-info/entry_points.txt", "[crossdock.materializers]\nmesh = meshes:MeshMaterializer\n")
    put(folder, "shapes.py", PIPELINE.format(annotation="meshes.Mesh"))
    document = run(folder, PYTHONPATH=str(site))
    assert stored(folder) == ["points.txt"]
    assert document["tasks"]["measure.1"]["outputs"]["output"]["value"] == 3
    assert "pickle" not in document["log"]


def test_without_one_it_is_pickle_and_says_so(folder: Path) -> None:
    put(folder, "meshes.py", MESHES.format(version=1))
    put(folder, "shapes.py", PIPELINE.format(annotation="meshes.Mesh"))
    assert "meshes.Mesh is stored by pickle: " in run(folder)["log"]
    assert "points.txt" not in stored(folder)


def test_a_new_version_does_not_read_what_the_old_one_cached(folder: Path) -> None:
    put(folder, "shapes.py", PIPELINE.format(annotation="Annotated[meshes.Mesh, meshes.MeshMaterializer]"))
    for version in (1, 2):
        put(folder, "meshes.py", MESHES.format(version=version))
        assert states(run(folder))["make.0"] == "succeeded", version


def test_a_class_that_is_no_materializer_is_refused_at_the_step(folder: Path) -> None:
    put(folder, "meshes.py", "class Mesh: ...\nclass Bad:\n    def save(self): ...\n    def load(self): ...\n")
    put(folder, "shapes.py", PIPELINE.format(annotation="Annotated[meshes.Mesh, meshes.Bad]"))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("crossdock")), "check", "shapes.py"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "shapes.py:7: meshes.Bad in the annotation is no crossdock.Materializer" in done.stderr
    assert "hint: class Bad(Materializer)" in done.stderr
