"""Kill -9 at 50 points of a run: resume completes with the same results, and runs nothing again that was committed."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from crossdock.client import Run
from crossdock_runtime import artifacts
from crossdock_runtime.manifest import Manifest
from crossdock_runtime.record import Result, load_fact
from crossdock_runtime.store import Store

PIPELINE = Path(__file__).with_name("crash_pipeline.py")
CROSSDOCK = str(Path(sys.executable).with_name("crossdock"))
RUN = "r00000000-crashed"
EXIT_TASK = "close"  # reads the status of its own run, so a resumed run has its own
MODES = {
    "one process": ("plain", [], 32),
    "workers": ("plain", ["--max-workers", "2"], 10),
    "isolated": ("isolated", [], 8),
}
SEED = 20130101
AT_ONCE = 2
PLACES = 16
WATCHED = 4  # every n-th point has a reader beside the run
LIMIT = 120


@pytest.fixture(autouse=True)
def _readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read here holds a dataclass of the pipeline's."""
    monkeypatch.syspath_prepend(PIPELINE.parent)


def test_fifty_points() -> None:
    assert sum(points for _, _, points in MODES.values()) == 50


@pytest.mark.parametrize("mode", MODES)
def test_a_killed_run_resumes(mode: str, tmp_path: Path) -> None:
    name, options, points = MODES[mode]
    project = new_project(tmp_path)
    whole = Scene(tmp_path / "whole", project, name, options)
    timeline = whole.run_and_time()
    whole.kill()
    assert whole.process.returncode == 0, whole.output()
    expected = whole.results(RUN)
    assert {task for task in expected if task.startswith(("square", "pack"))} == {
        *(f"square.{item}" for item in range(3)),
        *(f"pack.{item}" for item in range(3)),
    }
    assert expected["few"] == {"state": "skipped"}
    assert Counter(whole.starts()) == Counter([task for task in expected if task != "few"])

    chosen = random.Random(f"{SEED} {mode}")
    moments = [timeline.moment((number + chosen.random()) / points, chosen.random()) for number in range(points)]

    def one(number: int) -> tuple[str, int]:
        scene = Scene(tmp_path / str(number), project, name, options)
        try:
            return "", crash_and_resume(scene, moments[number], expected, watched=number % WATCHED == 0)
        except Exception as error:
            return f"point {number} {moments[number]}: {type(error).__name__}: {error}\n{scene.output()}", 0
        finally:
            scene.kill()
            shutil.rmtree(scene.folder, ignore_errors=True)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        done = list(pool.map(one, range(points)))
    failures = [text for text, _ in done if text]
    assert not failures, f"{len(failures)} of {points} points\n" + "\n".join(failures)
    committed = {count for _, count in done}
    assert len(committed) >= 3, f"the points were not spread over the run: {committed}"


def test_a_run_killed_between_two_changes_of_the_store(tmp_path: Path) -> None:
    """Not at a time but at a place: before a file is opened, linked, renamed or removed in the store."""
    project = new_project(tmp_path)
    whole = Scene(tmp_path / "whole", project, "plain", [])
    die_at(whole, 0)
    whole.run_and_time()
    assert whole.process.returncode == 0, whole.output()
    changes = int((whole.folder / "changes").read_text())
    whole.env.clear()
    expected = whole.results(RUN)
    assert changes > 100, "the hook saw what the run wrote"
    chosen = random.Random(SEED)
    points = [int((number + chosen.random()) * changes / PLACES) + 1 for number in range(PLACES)]

    def one(point: int) -> str:
        scene = Scene(tmp_path / str(point), project, "plain", [])
        try:
            die_at(scene, point)
            crash_and_resume(scene, AtEnd(), expected, watched=False)
        except Exception as error:
            return f"change {point} of {changes}: {type(error).__name__}: {error}\n{scene.output()}"
        finally:
            scene.kill()
            shutil.rmtree(scene.folder, ignore_errors=True)
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = [text for text in pool.map(one, points) if text]
    assert not failures, f"{len(failures)} of {PLACES} places\n" + "\n".join(failures)


def die_at(scene: Scene, point: int) -> None:
    """Let the next processes of a scene end before their n-th change of the store; 0 is never."""
    paths = [str(PIPELINE.parent / "dies_at"), *filter(None, [os.environ.get("PYTHONPATH")])]
    scene.env.update(
        PYTHONPATH=os.pathsep.join(paths),
        DIES_AT=str(point),
        DIES_IN=str(scene.folder / "store"),
        DIES_COUNT=str(scene.folder / "changes"),
    )


def new_project(folder: Path) -> Path:
    """The project of a user."""
    project = folder / "project"
    project.mkdir()
    (project / "pyproject.toml").touch()
    shutil.copy(PIPELINE, project)
    return project


def crash_and_resume(
    scene: Scene, moment: Moment | AtEnd, expected: dict[str, dict[str, str]], *, watched: bool
) -> int:
    """Kill a run at a moment and resume it; returns how many results were committed when it was killed."""
    with Reader(scene.store) if watched else contextlib.nullcontext():
        return _crash_and_resume(scene, moment, expected)


def _crash_and_resume(scene: Scene, moment: Moment | AtEnd, expected: dict[str, dict[str, str]]) -> int:
    scene.start("run", scene.source, "--run-id", RUN, *scene.options)
    moment.wait(scene)
    scene.kill()
    scene.env.clear()
    committed = set(scene.committed(RUN))
    verify(scene.store)
    before = Counter(scene.starts())
    known = scene.store.exists(f"runs/{RUN}/run.json")
    assert known or not (committed or before), "tasks ran before the run was recorded"
    if known:
        assert Run(scene.store, RUN).status != "failed"
        scene.start("runs", "resume", RUN, "--json", *scene.options)
    else:
        scene.start("run", scene.source, "--run-id", RUN, "--json", *scene.options)
    scene.process.wait(LIMIT)
    assert scene.process.returncode == 0, f"exit code {scene.process.returncode}"
    document = json.loads(scene.out.read_text())
    assert document["status"] == "succeeded"
    found = results(document)
    assert found == expected, {
        task: (found.get(task), expected[task]) for task in expected if found.get(task) != expected[task]
    }
    again = Counter(scene.starts()) - before
    must = {task for task in expected if task != "few" and task not in committed} | {EXIT_TASK}
    assert again == Counter(must), f"ran again: {again}, not committed: {sorted(must)}"
    adopted = {task for task, body in document["tasks"].items() if body["state"] == "cached"}
    assert adopted == committed - {EXIT_TASK, "few"}
    verify(scene.store)
    return len(committed)


class Scene:
    """A store, a journal and the processes that use them."""

    def __init__(self, folder: Path, project: Path, pipeline: str, options: list[str]) -> None:
        folder.mkdir()
        self.folder, self.project, self.options = folder, project, options
        self.source = f"{PIPELINE.name}:{pipeline}"
        self.journal = folder / "journal"
        self.journal.touch()
        self.store = Store.open(folder / "store")
        self.out, self.err = folder / "out", folder / "err"
        self.env: dict[str, str] = {}
        (folder / "tmp").mkdir()

    def start(self, *arguments: str) -> None:
        """Start a crossdock command as the leader of a process group."""
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPYCACHEPREFIX": str(self.folder.parent / "bytecode"),
            "CROSSDOCK_STORE": str(self.folder / "store"),
            "CRASH_JOURNAL": str(self.journal),
            "TMPDIR": str(self.folder / "tmp"),
            **self.env,
        }
        with self.out.open("wb") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                [CROSSDOCK, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment,
                cwd=self.project, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """Kill the process with all its children, and wait until none is left."""
        group = self.process.pid
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        self.process.wait(LIMIT)
        deadline = time.monotonic() + LIMIT
        while alive(group):
            assert time.monotonic() < deadline, "a killed process lives on"
            time.sleep(0.005)

    def starts(self) -> list[str]:
        """The steps that were started, in order."""
        lines = self.journal.read_text().splitlines()
        return [line.removeprefix("start ") for line in lines if line.startswith("start ")]

    def lines(self) -> int:
        """How long the journal is."""
        return self.journal.read_bytes().count(b"\n")

    def committed(self, run: str) -> Iterator[str]:
        """Names of the tasks with a result."""
        prefix = f"runs/{run}/tasks/"
        for key in self.store.keys(prefix):
            if key.endswith("/result.json"):
                yield key.removeprefix(prefix).removesuffix("/result.json").replace("/", ".")

    def results(self, run: str) -> dict[str, dict[str, str]]:
        """What `runs show --json` says of the outputs."""
        self.start("runs", "show", run, "--json")
        assert self.process.wait(LIMIT) == 0, self.output()
        return results(json.loads(self.out.read_text()))

    def output(self) -> str:
        """What the processes printed."""
        return self.err.read_text() + self.out.read_text()

    def run_and_time(self) -> Timeline:
        """Run undisturbed, and note when each line came to the journal."""
        began = time.monotonic()
        times: list[float] = []
        self.start("run", self.source, "--run-id", RUN, *self.options)
        while self.process.poll() is None and time.monotonic() < began + LIMIT:
            times += [time.monotonic() - began] * (self.lines() - len(times))
            time.sleep(0.001)
        return Timeline(times, time.monotonic() - began)


@dataclass(frozen=True)
class Moment:
    """So many lines in the journal, and so many seconds after the last of them."""

    lines: int
    seconds: float

    def wait(self, scene: Scene) -> None:
        deadline = time.monotonic() + LIMIT
        while scene.lines() < self.lines and scene.process.poll() is None:
            assert time.monotonic() < deadline, f"the journal stays at {scene.lines()} lines"
            time.sleep(0.0005)
        time.sleep(self.seconds)


class AtEnd:
    """When the process has ended, by itself or by its own hand."""

    def wait(self, scene: Scene) -> None:
        scene.process.wait(LIMIT)
        assert scene.process.returncode == -signal.SIGKILL, scene.process.returncode


@dataclass(frozen=True)
class Timeline:
    """When the lines of an undisturbed run came, and when it ended; lines mean the same on a busy machine."""

    times: list[float]
    end: float

    def moment(self, fraction: float, jitter: float) -> Moment:
        """A tenth of all moments lies before the first line, a tenth after the last one; jitter is a part of a gap."""
        if fraction < 0.1:
            return Moment(0, self.times[0] * (0.3 + 7 * fraction))
        if fraction > 0.9:
            return Moment(len(self.times), (self.end - self.times[-1]) * 10 * (fraction - 0.9))
        gap = (self.times[-1] - self.times[0]) / len(self.times)
        return Moment(1 + int((fraction - 0.1) / 0.8 * len(self.times)), jitter * gap)


@dataclass
class Reader:
    """Reads everything that is committed, again and again, while a run goes on."""

    store: Store
    errors: list[str] = field(default_factory=list)

    def __enter__(self) -> None:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def __exit__(self, kind: object, *_: object) -> None:
        self._end.set()
        self._thread.join()
        assert kind is not None or not self.errors, self.errors

    def _read(self) -> None:
        while not self._end.is_set():
            try:
                verify(self.store)
            except Exception as error:
                self.errors.append(f"{type(error).__name__}: {error}")
            self._end.wait(0.03)


def verify(store: Store) -> None:
    """Read every output that a committed result or the cache points to; its digests are checked on the way."""
    for key in [*store.keys("runs"), *store.keys("cache")]:
        if key.endswith("/result.json") or key.startswith("cache/"):
            fact = load_fact(store, key)
            assert fact is not None
            outputs = [Manifest.from_json(item) for item in fact["outputs"].values()]
            if not key.startswith("cache/"):
                assert Result.from_json(fact).state in ("succeeded", "cached", "skipped")
            for manifest in outputs:
                if not manifest.skipped:
                    assert artifacts.load(store, manifest) is not None


def results(document: dict[str, object]) -> dict[str, dict[str, str]]:
    """Each task's outputs by their digests."""
    tasks = document["tasks"]
    assert isinstance(tasks, dict)
    return {
        task: {"state": "skipped"}
        if body["state"] == "skipped"
        else {name: output["digest"] for name, output in body["outputs"].items()}
        for task, body in tasks.items()
    }


def alive(group: int) -> bool:
    """Whether a process of the group still runs; one that nobody has waited for yet does not."""
    listed = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return any(int(row[0]) == group and not row[1].startswith("Z") for row in rows)
