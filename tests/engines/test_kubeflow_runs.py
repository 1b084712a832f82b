"""Runs on Kubeflow Pipelines: from `crossdock submit` to results, against the vendor's contract on loopback."""

from __future__ import annotations

import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kfp_server
import pytest
import secret_servers
from kfp_platform import Platform
from kfp_server import KfpServer
from running import Done, Project, wait_for

from crossdock.client import Client
from crossdock.stacks import CanRun, NativeRun, RunHandle, Stack
from crossdock_runtime.record import RunRecord

PIPE = """
    from crossdock import map, on_exit, pipeline, step, when

    @step
    def numbers(n: int, text: str) -> list[int]:
        print("numbers of", text)
        return list(range(n))

    @step
    def double(x: int) -> int:
        return 2 * x

    @step
    def total(xs: list[int]) -> int:
        return sum(xs)

    @step
    def is_large(x: int) -> bool:
        return x > 1000

    @step
    def celebrate(x: int) -> int:
        return x

    @step
    def bye() -> None:
        print("bye")

    @pipeline
    def doubled(n: int = 3, text: str = 'plain "text"', rate: float = 0.5, seeds: list[int] = [1, 2]) -> int:
        on_exit(bye)
        found = total(map(double, numbers(n, text)))
        with when(is_large(found)):
            celebrate(found)
        return found
"""


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[str]:
    with secret_servers.moto() as url:
        yield url


@pytest.fixture
def project(bucket_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with a bucket, and a stack whose orchestrator lacks its host."""
    bucket = f"kfp-{uuid.uuid4().hex[:8]}"
    urllib.request.urlopen(urllib.request.Request(f"{bucket_server}/{bucket}", method="PUT")).close()
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    found = Project(tmp_path)
    found.write(PIPE)
    found.write(
        f"flavor: s3\nconfig:\n  uri: s3://{bucket}/team\n  allow_http: true\n  endpoint: {bucket_server}\n"
        "  region: us-east-1\n",
        ".crossdock/components/artifact_store/bucket.yaml",
    )
    found.write("components:\n  orchestrator: kfp\n  artifact_store: bucket\n", ".crossdock/stacks/kfp.yaml")
    found.env["CROSSDOCK_STACK"] = "kfp"
    return found


ENV = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "mine", "AWS_REGION": "us-east-1"}


@pytest.fixture
def server() -> KfpServer:
    return KfpServer(Platform(ENV))


@pytest.fixture
def url(server: KfpServer, project: Project) -> Iterator[str]:
    with kfp_server.serving(server) as found:
        configure(project, host=found)
        yield found


def configure(project: Project, **config: Any) -> None:
    lines = [f"  {name}: {value}\n" for name, value in {"image": "python:3.11", "packaging": "code", **config}.items()]
    project.write("flavor: kubeflow\nconfig:\n" + "".join(lines), ".crossdock/components/orchestrator/kfp.yaml")


def stack_of(project: Project) -> Stack:
    return Client("kfp", project=project.folder).stack


def ok(done: Done) -> Done:
    assert done.code == 0, str(done)
    return done


def handle_of(project: Project, run: str) -> RunHandle:
    handle = RunRecord(Client("kfp", project=project.folder).store, run).handle()
    return RunHandle(handle["flavor"], handle["native_id"], handle.get("details", {}))


def test_a_run_from_the_command_line_to_its_results(project: Project, server: KfpServer, url: str) -> None:
    done = ok(project.crossdock("submit", "pipe.py", "-p", "n=4", "-p", "seeds=[3]", "--wait"))
    print(done)
    run = done.out.strip().splitlines()[-1]
    raise AssertionError(str(done) + str(server.requests) + str({n["display_name"]+n["state"] for r in server.runs.values() for n in r["run_details"]["task_details"]}))
