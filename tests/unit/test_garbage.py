"""What lists, deletes and collects: on a store in memory that counts its requests, and beside runs that go on."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from running import CROSSDOCK, Project

from crossdock.dsl.errors import BadInput
from crossdock_runtime import cleanup, garbage, reading, state
from crossdock_runtime.record import RunRecord, dumps
from crossdock_runtime.remote_store import RemoteStore
from crossdock_runtime.state import find_run, read_state
from crossdock_runtime.store import Store
from crossdock_runtime.summary import summaries

T = TypeVar("T")
_numbers = itertools.count()

PIPE = """
    import os
    import time
    from pathlib import Path
    from crossdock import Retry, map, pipeline, step

    @step
    def numbers() -> list[int]:
        return list(range(20))

    @step
    def square(number: int) -> bytes:
        return str(number * number).encode()

    @step
    def total(squares: list[bytes]) -> int:
        return sum(map_int(squares))

    def map_int(squares):
        return [int(square) for square in squares]

    @pipeline
    def squares() -> int:
        return total(map(square, numbers()))
"""


class Counted(RemoteStore):
    """A store that counts its requests, each of which takes a while."""

    requests: Counter[str]
    latency = 0.0

    def __init__(self, url: str, options: Any = None) -> None:
        self.requests = Counter()
        super().__init__(url, options)

    def _call(self, verb: str, key: str, act: Callable[[], T]) -> T:
        self.requests[verb] += 1
        time.sleep(self.latency)
        return super()._call(verb, key, act)


@pytest.fixture
def remote() -> Counted:
    return Counted(f"memory:///garbage-{next(_numbers)}")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.write(PIPE)
    return found


def copied(project: Project, remote: Store, run: str) -> None:
    """A run of the project as another one in the remote store, with all that it wrote."""
    source = project.store
    (first,) = (key.partition("-")[2] for key in source.keys("index"))
    for key in source.keys(""):
        data = source.read(key).replace(first.encode(), run.encode())
        if not key.startswith(("index/", "cache/")):
            remote.replace(key.replace(first, run), data)
    remote.create(f"index/{run[1:10]}-{run}", b"")


def test_the_newest_page_of_ten_thousand_runs_is_few_requests(remote: Counted) -> None:
    for number in range(10_000):
        run = f"r{number:09d}-aaaaaa"
        remote.replace(f"index/{run[1:10]}-{run}", b"")
        if number < 100:
            remote.replace(f"runs/{run}/run.json", dumps({"run": run, "pipeline": "p", "plan": "x", "created": "2026"}))
            remote.replace(f"runs/{run}/end.json", dumps({"status": "succeeded", "time": "", "done": 2, "of": 3}))
    remote.requests.clear()
    page = list(summaries(remote, limit=20))
    assert [item.run for item in page] == [f"r{number:09d}-aaaaaa" for number in range(20)]
    assert {(item.status, item.done, item.of) for item in page} == {("succeeded", 2, 3)}
    assert remote.requests["list"] <= 2
    assert remote.requests["read"] <= 20 + 20 + reading.AT_ONCE


def test_the_state_of_a_run_is_one_listing_and_reads_at_once(
    project: Project, remote: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project.run("--run-id", "only").code == 0
    copied(project, remote, "rcopy")
    remote.latency = 0.01
    with monkeypatch.context() as patch:
        patch.setattr(state, "snapshot", lambda store, folder: store)
        remote.requests.clear()
        begun = time.monotonic()
        before = read_state(remote, "rcopy")
        one_by_one = time.monotonic() - begun
        many = remote.requests["list"]
    remote.requests.clear()
    begun = time.monotonic()
    assert read_state(remote, "rcopy") == before
    at_once = time.monotonic() - begun
    assert len(before.tasks) == 22
    assert many > 20
    assert remote.requests["list"] <= 2  # the second call is told that there is no second page
    assert at_once < one_by_one / 2


def test_a_list_shows_runs_by_tag_and_what_has_not_ended(project: Project) -> None:
    assert project.run("--run-id", "one", "--tag", "nightly", "--tag", "a").code == 0
    assert project.run("--run-id", "two").code == 0
    (project.store_path / "runs" / "two" / "end.json").unlink()
    listed = project.crossdock("runs", "list", "--json").document
    assert [(item["run"], item["status"], item["tags"], item["done"], item["of"]) for item in listed] == [
        ("two", "succeeded", [], 22, 22),
        ("one", "succeeded", ["a", "nightly"], 22, 22),
    ]
    assert [item["run"] for item in project.crossdock("runs", "list", "--tag", "a", "--json").document] == ["one"]
    assert "tags: a, nightly" in project.crossdock("runs", "show", "one").out
    assert project.crossdock("runs", "resume", "one").code == 0
    assert project.crossdock("runs", "show", "latest", "--json").document["tags"] == ["a", "nightly"]


def test_runs_are_deleted_together_after_a_look(project: Project) -> None:
    for run, tag in (("one", "old"), ("two", "old"), ("three", "new")):
        assert project.run("--run-id", run, "--tag", tag, "--no-cache").code == 0
    asked = project.crossdock("runs", "delete", "--tag", "old")
    assert asked.code == 1 or "delete these 2 runs?" in asked.out
    assert "one" in asked.out
    assert project.crossdock("runs", "delete", "--older-than", "1d", "--yes").out == "no such runs\n"
    done = project.crossdock("runs", "delete", "--tag", "old", "--yes")
    assert done.out.startswith("2 runs: deleted ")
    assert [item["run"] for item in project.crossdock("runs", "list", "--json").document] == ["three"]
    assert {path.name for path in (project.store_path / "data").iterdir()} == {"three"}
    assert project.crossdock("runs", "delete").code == 2
    assert project.crossdock("runs", "delete", "three", "--tag", "new").code == 2


class Crash(Exception):
    pass


def test_a_deletion_that_was_cut_off_is_finished_by_another(project: Project) -> None:
    """Cut off at each of its writes in turn."""
    steps = 0
    while True:
        run = f"run-{steps}"
        assert project.run("--run-id", run, "--no-cache").code == 0
        store = project.store
        left = steps

        def act(name: str) -> Callable[..., Any]:
            real = getattr(store, name)  # noqa: B023

            def counted(*arguments: Any) -> Any:
                nonlocal left
                left -= 1
                if left >= 0:
                    return real(*arguments)
                if name == "delete":
                    keys = list(arguments[0])
                    real(keys[: len(keys) // 2])
                raise Crash

            return counted

        for name in ("delete", "replace"):
            setattr(store, name, act(name))
        try:
            cleanup.delete_runs(store, [run])
        except Crash:
            assert project.crossdock("runs", "show", run).code == 2 or steps == 0
            again = project.crossdock("runs", "delete", run, "--yes")
            assert again.code == 0, str(again)
        assert not any(run in key for key in project.store.keys(""))
        if left >= 0:
            break
        steps += 1
    assert steps >= 4


def test_a_run_that_goes_on_is_not_deleted_and_nor_is_what_it_resumes(project: Project) -> None:
    assert project.run("--run-id", "source").code == 0
    RunRecord(project.store, "later").create({"pipeline": "squares", "plan": plan_of(project), "resume_from": "source"})
    for run in ("later", "source"):
        refused = project.crossdock("runs", "delete", run, "--yes")
        assert refused.code == 2
        assert "later is still running" in refused.err
    assert project.crossdock("runs", "show", "source").code == 0


def plan_of(project: Project) -> str:
    (plan,) = (project.store_path / "plans").iterdir()
    return plan.stem


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans, code and unfinished files count from the start."""
    monkeypatch.setattr(garbage, "SETTLING_SECONDS", -60.0)


def kinds(store: Store, **options: Any) -> dict[str, int]:
    return dict(Counter(item.kind for item in garbage.find(store, **options)))


@pytest.fixture(params=["local", "memory"])
def full(request: pytest.FixtureRequest, project: Project, remote: Counted) -> Store:
    """A store with a run, whose copies were half deleted, and with every kind of garbage."""
    assert project.run("--run-id", "good").code == 0
    store: Store = project.store
    if request.param == "memory":
        for key in list(store.keys()):
            remote.replace(key, project.store.read(key))
        store = remote
    store.replace("data/gone/square/0/1/output/data", b"deleted run")
    store.replace("cache/gone.json", dumps({"run": "gone", "created": "2026", "outputs": {}}))
    store.replace("data/good/square/0/7/output/data", b"second attempt")
    store.replace("plans/unused.json", store.read(next(iter(store.keys("plans")))))
    store.replace("code/unused.zip", b"code")
    store.replace("runs/replay-x/run.json", dumps({"replay_of": "good", "plan": "?", "tags": ["mine"]}))
    return store


def test_each_kind_is_found_and_nothing_else(full: Store, settled: None) -> None:
    before = set(full.keys())
    assert kinds(full) == {}
    found = {"deleted runs": 1, "attempts": 1, "replays": 1, "cache": 1, "plans": 1, "code": 1}
    assert kinds(full, older_than=-60) == found
    assert kinds(full, older_than=-60, tag="mine") == {"replays": 1}
    assert kinds(full, older_than=-60, tag="other") == {}
    garbage.collect(full, garbage.find(full, older_than=-60))
    gone = before - set(full.keys())
    assert len(gone) == 6
    assert all("good" not in key or "/7/" in key for key in gone)
    assert read_state(full, "good").status == "succeeded"
    assert kinds(full, older_than=-60) == {}


def test_bytes_that_are_gone_take_their_cache_entries_along(full: Store, settled: None) -> None:
    store = full
    garbage.collect(store, garbage.find(store, older_than=-60))
    entries = len(list(store.keys("cache")))
    store.delete(list(store.keys("data/good")))
    assert kinds(store, older_than=-60) == {"cache": entries - 2}  # those of values hold them themselves


def test_what_is_damaged_protects_what_it_may_point_to(full: Store, settled: None) -> None:
    results = [key for key in full.keys("runs/good/tasks/square") if key.endswith("/result.json")]
    full.replace(results[0], b"{")
    found = kinds(full, older_than=-60)
    assert "attempts" not in found
    assert "plans" not in found


def test_files_that_were_never_finished(project: Project) -> None:
    assert project.run("--run-id", "good").code == 0
    staging = project.store_path / ".tmp"
    old, young = staging / "1-old", staging / "1-young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (1e9, 1e9))
    dry = project.crossdock("gc", "--dry-run", "--older-than", "0", "--json").document
    assert dry["kinds"]["staging"] == {"count": 1, "bytes": 4, "oldest": "2001-09-09T01:46:40Z"}
    assert old.exists()
    done = project.crossdock("gc", "--older-than", "0")
    assert "1 objects with 4 bytes deleted" in done.out
    assert (old.exists(), young.exists()) == (False, True)
    assert "nothing to delete" in project.crossdock("gc", "--older-than", "0").out


def test_the_plan_that_a_new_run_needs_is_there(project: Project, settled: None) -> None:
    """It was found to be garbage, and a run of it started before it was deleted."""
    assert project.run("--run-id", "first").code == 0
    assert project.crossdock("runs", "delete", "first", "--yes").code == 0
    found = garbage.find(project.store, older_than=-60)
    assert [item.kind for item in found] == ["plans"]
    time.sleep(0.02)
    assert project.run("--run-id", "second").code == 0
    garbage.collect(project.store, found)
    assert project.crossdock("runs", "show", "second").code == 0


def test_beside_runs_that_commit_nothing_of_them_is_taken(project: Project) -> None:
    """Collect what is older than nothing at all, again and again, while runs begin, commit, use the cache and end."""
    stop = threading.Event()
    taken: list[garbage.Garbage] = []
    problems: list[BaseException] = []

    def collect() -> None:
        while not stop.is_set():
            try:
                found = garbage.find(project.store, older_than=0)
                taken.extend(found)
                garbage.collect(project.store, found)
            except BaseException as error:
                problems.append(error)
                return

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        for number in range(4):
            words = ["--no-cache"] if number % 2 else []
            done = project.run("--run-id", f"run-{number}", "--max-workers", "2", *words)
            assert done.code == 0, str(done)
            assert project.crossdock("runs", "outputs", f"run-{number}", "total.output").out.strip() == "2470"
    finally:
        stop.set()
        thread.join()
    assert not problems
    for number in range(4):
        found = read_state(project.store, f"run-{number}")
        assert found.status == "succeeded"
        for task in found.tasks:
            for manifest in task.result.outputs.values() if task.result else ():
                assert all(project.store.exists(f"{manifest.uri}/{member.path}") for member in manifest.members)
    assert not taken


def test_an_attempt_that_is_under_way_keeps_what_it_has_written(project: Project) -> None:
    project.write(
        """
        import time
        from pathlib import Path
        from crossdock import pipeline, step

        @step
        def two(gate: str) -> tuple[bytes, bytes]:
            return b"1", b"2"

        @step
        def wait(gate: str) -> bytes:
            while not Path(gate).exists():
                time.sleep(0.01)
            return b"after"

        @pipeline
        def waiting(gate: str) -> bytes:
            two(gate)
            return wait(gate)
        """
    )
    gate = project.folder / "gate"
    program = project.start(CROSSDOCK, "run", "pipe.py", "-p", f"gate={gate}", "--run-id", "slow")
    try:
        end = time.monotonic() + 60
        while not list(project.store_path.glob("runs/slow/tasks/wait/attempts/1/started.json")):
            assert time.monotonic() < end
            time.sleep(0.02)
        project.store.replace("data/slow/wait/2/output/data", b"being written")
        assert kinds(project.store, older_than=-60) == {}
        gate.touch()
        assert program.wait(60) == 0
    finally:
        program.kill()
        program.communicate()
    assert kinds(project.store, older_than=-60) == {"attempts": 1}


def test_ids_of_deleted_runs_are_unknown(project: Project) -> None:
    assert project.run("--run-id", "good").code == 0
    project.store.replace("runs/good/run.json", dumps({"run": "good", "deleted": "2026"}))
    with pytest.raises(BadInput, match="no run"):
        find_run(project.store, "good")
    assert kinds(project.store, older_than=-60)["deleted runs"] > 20
