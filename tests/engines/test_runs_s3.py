"""Lists, deletions and gc on a bucket: an S3 of moto, whose requests are counted by its own log."""

from __future__ import annotations

import itertools
import os
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import secret_servers
from running import CROSSDOCK, Done, Project

from crossdock_runtime.reading import each
from crossdock_runtime.record import dumps
from crossdock_runtime.store import Store

PIPE = """
    from pathlib import Path
    from crossdock import map, pipeline, step

    @step
    def numbers() -> list[int]:
        return list(range(12))

    @step
    def data(number: int) -> bytes:
        return str(number).encode()

    @step
    def total(parts: list[bytes]) -> int:
        return sum(map_int(parts))

    def map_int(parts):
        return [int(part) for part in parts]

    @pipeline
    def totals() -> int:
        return total(map(data, numbers()))
"""
_buckets = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    log = tmp_path_factory.mktemp("moto") / "requests"
    with secret_servers.moto(log) as url:
        yield url, log


@pytest.fixture
def project(server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose active stack has its artifacts in a bucket."""
    url, _ = server
    bucket = f"runs-{next(_buckets)}-{os.getpid()}"
    urllib.request.urlopen(urllib.request.Request(f"{url}/{bucket}", method="PUT")).close()
    for name, value in {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "mine", "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    found = Project(tmp_path)
    found.write(PIPE)
    config = (
        f"flavor: s3\nconfig:\n  uri: s3://{bucket}/team\n  allow_http: true\n  endpoint: {url}\n  region: us-east-1\n"
    )
    found.write(config, ".crossdock/components/artifact_store/bucket.yaml")
    stack = "components:\n  orchestrator: default\n  artifact_store: bucket\n"
    found.write(stack, ".crossdock/stacks/s3.yaml")
    found.env["CROSSDOCK_STACK"] = "s3"
    return found


@pytest.fixture
def bucket(project: Project, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Its store, from here."""
    from crossdock.client import Client

    return Client("s3", project=project.folder).store


def requests(server: tuple[str, Path], act: Callable[[], Done]) -> tuple[Done, list[str]]:
    """How a program ended, and the requests that it made."""
    start = server[1].stat().st_size
    done = act()
    with server[1].open("rb") as log:
        log.seek(start)
        lines = log.read().decode().splitlines()
    return done, [line.partition('"')[2].partition(" HTTP")[0] for line in lines if '"' in line]


def test_the_newest_page_of_many_runs_is_one_or_two_lists(
    server: tuple[str, Path], project: Project, bucket: Store
) -> None:
    def write(number: int) -> None:
        run = f"r{number:09d}-aaaaaa"
        bucket.create(f"index/{run[1:10]}-{run}", b"")
        if number < 60:
            bucket.create(f"runs/{run}/run.json", dumps({"run": run, "pipeline": "p", "plan": "x", "created": "2026"}))
            bucket.create(f"runs/{run}/end.json", dumps({"status": "succeeded", "time": "", "done": 2, "of": 3}))

    list(each(bucket, write, range(3000)))
    done, made = requests(server, lambda: project.crossdock("runs", "list"))
    assert done.code == 0, str(done)
    assert len(done.out.splitlines()) == 21
    assert 1 <= sum("list-type=2" in request for request in made) <= 2
    assert len(made) < 80


def test_runs_are_shown_deleted_and_collected(server: tuple[str, Path], project: Project, bucket: Store) -> None:
    for run in ("one", "two"):
        done = project.run("--run-id", run, "--tag", "nightly", "--no-cache")
        assert done.code == 0, str(done)
    shown, made = requests(server, lambda: project.crossdock("runs", "show", "one"))
    assert shown.code == 0, str(shown)
    assert sum("list-type=2" in request for request in made) == 1
    assert project.crossdock("gc", "--dry-run", "--older-than", "0").out.startswith("nothing to delete")
    bucket.replace("data/gone/data/0/1/output/data", b"of a deleted run")
    listed = project.crossdock("gc", "--older-than", "0s", "--json").document
    assert list(listed["kinds"]) == ["deleted runs"]
    deleted, made = requests(server, lambda: project.crossdock("runs", "delete", "--tag", "nightly", "--yes"))
    assert deleted.out.startswith("2 runs: deleted "), str(deleted)
    assert sum(request.startswith("POST") and "delete" in request for request in made) <= 6
    assert [key for key in bucket.keys("") if "one" in key or "two" in key] == []
    assert project.command(CROSSDOCK, "gc", "--older-than", "0s").code == 0
    assert [key.partition("/")[0] for key in bucket.keys("")] == ["plans"]  # it is too young
