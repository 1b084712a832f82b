"""From the command line to Vertex AI's contract, and through all tasks of a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import vertex_server
from running import Project
from stores import Place
from vertex_contract import PARENT, VertexServer, denied
from vertex_platform import Platform

from crossdock.stacks import NativeTask, RunHandle
from crossdock_adapters.orchestrators.vertex import run
from crossdock_adapters.orchestrators.vertex.client import Vertex
from crossdock_adapters.orchestrators.vertex.connection import Connection

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = """
from crossdock import map, on_exit, pipeline, step, when
from crossdock.dsl import RunStatus


@step
def numbers(n: int) -> list[int]:
    print("numbers of", n)
    return list(range(n))


@step
def square(x: int) -> int:
    if x == 7:
        raise ValueError("no sevens")
    return x * x


@step
def total(xs: list[int]) -> int:
    return sum(xs)


@step
def bye(status: RunStatus) -> None:
    print("bye")


@pipeline
def squares(n: int = 3) -> int:
    found = total(map(square, numbers(n)))
    with when(found > 100):
        square.with_options(name="large")(found)
    on_exit(bye)
    return found
"""


class Scene(Project):
    """A project with a stack `vertex`, whose bucket and whose Vertex AI are on loopback."""

    def __init__(self, folder: Path, place: Place, server: VertexServer) -> None:
        super().__init__(folder)
        self.server = server
        self.connection = Connection(
            project="crossdock-tests",
            location="europe-west4",
            endpoint=f"http://127.0.0.1:{server.grpc_port}",
            logs_endpoint=f"http://127.0.0.1:{server.rest_port}",
            allow_http=True,
            anonymous=True,
        )
        roots = (str(ROOT / root) for root in ("compiler", "runtime"))
        self.platform = Platform(server, {"PYTHONPATH": os.pathsep.join(roots)})
        self.write(PIPELINE)
        given = self.connection.model_dump(exclude_defaults=True)
        given |= {"image": f"registry.example/runtime@sha256:{0:064}", "build": False, "packaging": "code"}
        for words in (
            ["orchestrator", "register", "vertex", "--flavor", "vertex", *(f"--{k}={v}" for k, v in given.items())],
            ["artifact-store", "register", "bucket", "--flavor", place.flavor, *place.arguments()],
            ["stack", "register", "vertex", "-o", "vertex", "-a", "bucket"],
        ):
            done = self.crossdock(*words)
            assert done.code == 0, done
        self.env["CROSSDOCK_STACK"] = "vertex"

    def submit(self, run_id: str, n: int) -> RunHandle:
        """Submit the pipeline, and let it run to its end."""
        done = self.crossdock("submit", "pipe.py", "-p", f"n={n}", "--run-id", run_id)
        assert done.code == 0, done
        name = list(self.server.jobs)[-1]
        self.platform.perform(name.rpartition("/")[2]).join(120)
        return RunHandle("vertex", name)


@pytest.fixture
def scene(gcs_store: Place, tmp_path: Path) -> Iterator[Scene]:
    with vertex_server.running() as server:
        yield Scene(tmp_path, gcs_store.fresh(), server)


def test_a_run_from_the_command_line(scene: Scene) -> None:
    handle = scene.submit("First.run", 4)
    assert handle.native_id.startswith(f"{PARENT}/pipelineJobs/crossdock-first-run-")
    shown = scene.crossdock("runs", "show", "First.run", "--json").document
    assert shown["status"] == "succeeded", shown
    assert shown["tasks"]["total"]["outputs"]["output"]["value"] == 14
    vertex = Vertex(scene.connection)
    native = run.status(vertex, handle)
    assert native.status == "succeeded"
    assert native.tasks["square.3"] == native.tasks["bye"] == NativeTask("succeeded")
    assert native.tasks["large"] == NativeTask("skipped")
    assert any("numbers of 4" in line for line in run.logs(vertex, handle, "numbers"))

    failed = scene.submit("second-run", 8)
    native = run.status(vertex, failed)
    assert native.status == "failed"
    told = "The replica workerpool0-0 exited with a non-zero status of 10."
    assert native.tasks["square.7"] == NativeTask("failed", "user exception", told)
    assert native.tasks["bye"] == NativeTask("succeeded")
    assert "total" not in native.tasks
    assert any("no sevens" in line for line in run.logs(vertex, failed, "square.7"))
    assert scene.crossdock("runs", "show", "second-run", "--json").document["status"] == "failed"


def test_what_only_vertex_knows_is_shown(scene: Scene) -> None:
    done = scene.crossdock("submit", "pipe.py", "--run-id", "third")
    assert done.code == 0, done
    words = "Failed to pull image registry.example/runtime: not found."
    scene.server.moves("crossdock-third", "FAILED", "The DAG failed because some tasks failed.")
    scene.server.task("crossdock-third", "numbers", "FAILED", words, custom_jobs=("9",))
    scene.server.logs["9"] = [{"timestamp": "2026-01-01T00:00:00Z", "insertId": "1", "textPayload": words}]
    shown = scene.crossdock("runs", "show", "third", "--json").document
    assert shown["status"] == "failed"
    assert words in shown["tasks"]["numbers"]["cause"]["message"]
    assert words in scene.crossdock("runs", "logs", "third", "numbers").out


def test_a_run_is_cancelled_from_the_command_line(scene: Scene) -> None:
    assert scene.crossdock("submit", "pipe.py", "--run-id", "fourth").code == 0
    done = scene.crossdock("runs", "cancel", "fourth")
    assert done.code == 0, done
    assert scene.server.job("crossdock-fourth").state.name == "PIPELINE_STATE_CANCELLING"
    scene.server.moves("crossdock-fourth", "CANCELLED")
    assert scene.crossdock("runs", "show", "fourth", "--json").document["status"] == "cancelled"


def test_schedules_from_the_command_line(scene: Scene) -> None:
    made = scene.crossdock("submit", "pipe.py", "-p", "n=2", "--cron", "0 3 * * *")
    assert made.code == 0, made
    (found,) = scene.crossdock("schedules", "list", "--json").document
    assert found["id"] in made.out
    assert (found["pipeline"], found["cron"], found["paused"]) == ("squares", "TZ=UTC 0 3 * * *", False)
    for word, paused in (("pause", True), ("resume", False)):
        assert scene.crossdock("schedules", word, found["id"]).code == 0
        (found,) = scene.crossdock("schedules", "list", "--json").document
        assert found["paused"] is paused
    assert scene.crossdock("schedules", "delete", found["id"], "--yes").code == 0
    assert scene.crossdock("schedules", "list", "--json").document == []
    assert scene.crossdock("submit", "pipe.py", "--cron", "0 0 3 * * *").code == 2


def test_what_vertex_refuses_starts_no_run(scene: Scene) -> None:
    refusal = denied("aiplatform.pipelineJobs.list", PARENT)
    scene.server.fail("ListPipelineJobs", refusal)
    done = scene.crossdock("submit", "pipe.py", "--run-id", "none")
    assert done.code == 3
    assert "hint: give yourself roles/aiplatform.user in project crossdock-tests" in done.err
    assert "Traceback" not in done.err
    assert scene.crossdock("runs", "list", "--json").document == []
