"""Whole runs with their artifacts in a bucket: the results of a folder, also after kill -9 and cut connections."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from http_proxy import Fault, proxy
from stores import Place
from test_crash import PIPELINE, RUN, AtEnd, Moment, Scene, crash_and_resume, new_project

from crossdock.client import Client
from crossdock.dsl.errors import StoreError
from crossdock_runtime import artifacts, remote_store
from crossdock_runtime.record import RunRecord

CROSSDOCK = str(Path(sys.executable).with_name("crossdock"))
POINTS = 3
UPLOADING = """
import hashlib
from pathlib import Path

from crossdock import pipeline, scratch, step


@step
def make(size: int) -> Path:
    folder = scratch()
    block = hashlib.sha256(b"block").digest() * 32768
    with (folder / "big.bin").open("wb") as file:
        for _ in range(size):
            file.write(block)
    return folder


@step
def measure(folder: Path) -> str:
    return hashlib.sha256((folder / "big.bin").read_bytes()).hexdigest()


@pipeline
def uploading(size: int = 24) -> str:
    return measure(make(size))
"""


class RemoteScene(Scene):
    """A scene whose store is a bucket."""

    def __init__(self, folder: Path, project: Path, place: Place) -> None:
        super().__init__(folder, project, "plain", [])
        self.place = place.fresh()
        self.store = self.place.open()
        stack_in(project, self.place, folder.name)

    def start(self, *arguments: str) -> None:
        self.env.update(CROSSDOCK_STACK=f"far-{self.folder.name}", **self.place.env)
        super().start(*arguments)


def stack_in(project: Path, place: Place, name: str) -> None:
    """Define a stack with the store in a project, by the command line."""
    for words in (
        ["artifact-store", "register", f"far-{name}", "--flavor", place.flavor, *place.arguments()],
        ["stack", "register", f"far-{name}", "-o", "default", "-a", f"far-{name}"],
    ):
        subprocess.run([CROSSDOCK, *words], cwd=project, check=True, capture_output=True)


@pytest.fixture
def _readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PIPELINE.parent)


@pytest.mark.usefixtures("_readable")
@pytest.mark.parametrize("name", ["s3_store", "azure_store", "gcs_store"])
def test_a_killed_run_resumes(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place: Place = request.getfixturevalue(name)
    project = new_project(tmp_path)
    here = Scene(tmp_path / "here", project, "plain", [])
    here.run_and_time()
    expected = here.results(RUN)
    whole = RemoteScene(tmp_path / "whole", project, place)
    timeline = whole.run_and_time()
    assert whole.process.returncode == 0, whole.output()
    assert whole.results(RUN) == expected, "a bucket gives the same digests as a folder"
    chosen = random.Random(name)
    for number in range(POINTS):
        scene = RemoteScene(tmp_path / str(number), project, place)
        try:
            moment: Moment | AtEnd = timeline.moment((number + chosen.random()) / POINTS, chosen.random())
            crash_and_resume(scene, moment, expected, watched=False)
        except Exception as error:
            raise AssertionError(f"point {number} {moment}: {error}\n{scene.output()}") from error
        finally:
            scene.kill()
            shutil.rmtree(scene.folder, ignore_errors=True)


@pytest.mark.parametrize("name", ["s3_store", "azure_store", "gcs_store"])
def test_a_connection_that_is_cut_in_an_upload(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the third part of the upload on nothing gets through any more; later the run is resumed."""
    place: Place = request.getfixturevalue(name).fresh()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "uploading.py").write_text(UPLOADING)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROSSDOCK_STORE", str(tmp_path / "store"))
    for variable, value in place.env.items():
        monkeypatch.setenv(variable, value)
    with proxy(place.port) as harm:
        stack_in(tmp_path, place.through(harm.port), "cut")
        stack_in(tmp_path, place, "well")
        cut = {"from": 0}

        def choose(method: str, path: str, number: int) -> Fault | None:
            if "big.bin" in path.replace("%2E", ".") and method == "PUT":
                cut["from"] += 1
            return Fault(reset=True) if cut["from"] > 2 else None

        harm.choose = choose
        monkeypatch.setattr(remote_store, "LATER_SECONDS", 1.0)
        monkeypatch.setattr("crossdock_runtime.remote_connect._DATA_RETRY", {"max_retries": 1})
        monkeypatch.setattr("crossdock_runtime.remote_connect._RECORDS_RETRY", {"max_retries": 1})
        with pytest.raises(StoreError) as caught:
            Client("far-cut").run("uploading.py", run_id="r000000000-cutoff")
        assert caught.value.exit_code == 3
        assert harm.faults
    well = Client("far-well")
    store = place.open()
    assert not [key for key in store.keys("runs") if key.endswith("result.json")]
    assert not [key for key in store.keys("data") if key.endswith("big.bin")], "nothing is half-written"
    resumed = well.resume("r000000000-cutoff")
    assert resumed.status == "succeeded"
    undisturbed = Client().run("uploading.py")
    assert resumed.outputs["measure.output"].load() == undisturbed.outputs["measure.output"].load()


TASK = """
import os
from pathlib import Path

from crossdock import pipeline, step


@step
def read(data: Path) -> str:
    assert not [name for name in os.environ if name.startswith("CROSSDOCK_STORE_SECRET_")]
    files = [data] if data.is_file() else sorted(path for path in data.rglob("*") if path.is_file())
    return " ".join(path.read_text() for path in files)


@pipeline
def reading(data: Path) -> str:
    return read(data)
"""


@pytest.mark.parametrize("name", ["s3_store", "azure_store", "gcs_store"])
def test_a_task_as_a_container_has_it(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The constant command with options and secrets in its environment only; data elsewhere in the bucket too."""
    place: Place = request.getfixturevalue(name).fresh()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "reading.py").write_text(TASK)
    store, data = place.open(), place.fresh()
    for number in range(3):
        data.open().create(f"folder/{number}.txt", f"number {number}".encode())
    plan = Client().load(str(tmp_path / "reading.py")).plan
    store.create(f"plans/{plan.digest}.json", plan.to_json().encode())
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in place.env.items():
            patch.setenv(variable, value)
        component = place.component()
        options, secrets = component.options, component.credentials()
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "AZURE_", "GOOGLE_"))},
        "CROSSDOCK_STORE_OPTIONS": json.dumps(dict(options)),
        **{f"CROSSDOCK_STORE_SECRET_{key.upper()}": value for key, value in secrets.items()},
        "HOME": str(tmp_path),
    }
    for where, expected in (("folder/1.txt", "number 1"), ("folder", "number 0 number 1 number 2")):
        words = ["--contract", "1", "--plan", f"{store.url}/plans/{plan.digest}.json", "--task", "read"]
        words += ["--run", f"r{len(where):09d}-abcdef", "--param", f"data={data.config['uri']}/{where}"]
        done = subprocess.run(
            [sys.executable, "-m", "crossdock_runtime", *words], cwd=tmp_path, env=env, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        result = RunRecord(store, f"r{len(where):09d}-abcdef").task("read").result()
        assert result is not None
        (manifest,) = result.outputs.values()
        assert artifacts.load(store, manifest) == expected
    assert not any(secret in done.stdout + done.stderr for secret in secrets.values())
