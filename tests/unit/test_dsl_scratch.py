"""`scratch()`: a folder of the attempt in a run, one of the process outside of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crossdock import Client, container_step, pipeline, scratch, step
from crossdock.dsl.container import InputPath, OutputPath

PLACES: list[Path] = []


@step(cache=False)
def write(name: str) -> Path:
    folder, other = scratch(), scratch()
    assert folder != other
    assert list(folder.iterdir()) == []
    PLACES.extend([folder, other])
    (folder / name).write_text(name)
    return folder / name


@step(cache=False)
def read(file: Path) -> str:
    PLACES.append(scratch())
    return file.read_text()


@step(cache=False)
def fail() -> Path:
    file = scratch() / "half"
    file.write_text("half")
    PLACES.append(file.parent)
    raise ValueError("no")


copy = container_step(
    name="copy",
    image="debian:12-slim",
    command=["cp", InputPath("file"), OutputPath("copy")],
    inputs={"file": Path},
    outputs={"copy": Path},
    cache=False,
)


@pipeline
def chain() -> str:
    return read(copy(file=write("a")))


@pipeline
def failing() -> None:
    fail()


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSDOCK_STORE", str(tmp_path / "store"))
    PLACES.clear()


def test_in_a_run_it_is_emptied_after_the_commit() -> None:
    run = Client().run(chain)
    assert run.outputs["read.output"].load() == "a"
    assert len(PLACES) == 3
    assert [place for place in PLACES if place.exists()] == []
    assert run.outputs["write.output"].load().read_text() == "a"


def test_what_a_failed_attempt_left_is_deleted_too() -> None:
    run = Client().run(failing, raise_on_failure=False)
    assert run.status == "failed"
    assert [place.exists() for place in PLACES] == [False]


def test_outside_of_a_run_it_lives_as_long_as_the_process() -> None:
    assert write("b").read_text() == "b"
    assert all(place.exists() for place in PLACES)
    code = "from crossdock import scratch; folder = scratch(); (folder / 'x').touch(); print(folder)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    place = Path(done.stdout.strip())
    assert place.is_absolute()
    assert not place.exists()
    assert not place.parent.exists()
