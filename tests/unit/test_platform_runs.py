"""Runs that a platform has: followed, reconciled with what it says, cancelled; schedules."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from running import Project

from crossdock.client import Client
from crossdock.dsl.errors import BadInput, PlatformError
from crossdock.ir import Feature, Level, Plan, Support
from crossdock.stacks import (
    CanRun,
    CanSchedule,
    ComponentConfig,
    NativeRun,
    NativeTask,
    Orchestrator,
    RunHandle,
    RunOptions,
    Schedule,
    Spec,
    Stack,
)
from crossdock_adapters.artifact_stores.local import LocalArtifactStore, LocalArtifactStoreConfig
from crossdock_runtime.driver import Event

SOURCE = """
    import os, time
    from crossdock import pipeline, step

    @step
    def first() -> int:
        print("first speaks")
        return 20

    @step
    def second(number: int, seconds: float) -> int:
        print("second begins", flush=True)
        time.sleep(seconds)
        return number + 1

    @pipeline
    def two(seconds: float = 0.0) -> int:
        return second(first(), seconds)
"""


class Machines(Orchestrator[ComponentConfig], CanRun, CanSchedule):
    """A platform: a process of its own runs one task after the other, by the runtime's command."""

    flavor = "machines"
    features: ClassVar[Mapping[Feature, Support]] = dict.fromkeys(Feature, Support(Level.FULL))
    remote = True
    store_schemes = ("file",)

    def __init__(self, name: str) -> None:
        super().__init__(name, ComponentConfig())
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.says: NativeRun | None = None
        self.silent = False
        self.made: list[Schedule] = []

    def translate(self, plan: Plan, stack: Stack | None = None) -> Spec:
        lines = [f"$PYTHON -m crossdock_runtime --task {task.id}" for task in plan.tasks]
        return Spec(self.flavor, {"run.sh": "\n".join(["set -e", *lines]) + "\n"})

    def submit(self, spec: Spec, stack: Stack, options: RunOptions) -> RunHandle:
        env = {
            **os.environ,
            "PYTHON": sys.executable,
            "CROSSDOCK_CONTRACT": "1",
            "CROSSDOCK_PLAN": f"{stack.artifact_store.url}/plans/{options.plan.digest}.json",
            "CROSSDOCK_RUN": options.run,
            "CROSSDOCK_PROJECT": str(options.project_root),
        }
        process = subprocess.Popen(["sh", "-c", spec.main], env=env, start_new_session=True)
        self.processes[f"native-{options.run}"] = process
        return RunHandle(self.flavor, f"native-{options.run}")

    def status(self, handle: RunHandle, stack: Stack) -> NativeRun:
        if self.silent:
            raise PlatformError("the machines do not answer")
        code = self.processes[handle.native_id].poll()
        if code is None:
            return NativeRun("running")
        return self.says or NativeRun("succeeded" if code == 0 else "failed")

    def url(self, handle: RunHandle, stack: Stack) -> str | None:
        return f"https://machines.example/{handle.native_id}"

    def logs(self, handle: RunHandle, stack: Stack, task: str, follow: bool = False) -> Iterator[str]:
        yield f"{task} was never heard of"

    def cancel(self, handle: RunHandle, stack: Stack) -> None:
        os.killpg(self.processes[handle.native_id].pid, signal.SIGTERM)
        self.processes[handle.native_id].wait()

    def schedule(self, spec: Spec, stack: Stack, options: RunOptions, cron: str) -> Schedule:
        self.made.append(Schedule(f"s{len(self.made) + 1}", options.plan.name, cron))
        return self.made[-1]

    def schedules(self, stack: Stack, pipeline: str | None = None) -> list[Schedule]:
        return [item for item in self.made if pipeline in (None, item.pipeline)]

    def pause_schedule(self, stack: Stack, schedule: str) -> None:
        raise AssertionError

    resume_schedule = pause_schedule

    def delete_schedule(self, stack: Stack, schedule: str) -> None:
        self.made = [item for item in self.made if item.id != schedule]


@pytest.fixture
def machines() -> Iterator[Machines]:
    found = Machines("machines")
    yield found
    for process in found.processes.values():
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.write(SOURCE)
    return found


@pytest.fixture
def client(project: Project, machines: Machines) -> Client:
    store = LocalArtifactStore("store", LocalArtifactStoreConfig(path=str(project.store_path)))
    return Client(Stack("machines", machines, store))


def source(project: Project) -> str:
    return str(project.folder / "pipe.py")


def test_a_run_is_followed_to_its_end(project: Project, client: Client) -> None:
    events: list[Event] = []
    run = client.run(source(project), on_event=events.append)
    assert run.status == "succeeded"
    assert run.outputs["second.output"].load() == 21
    seen = [(event.kind, event.task, event.outcome.state if event.outcome else "") for event in events]
    assert seen == [
        ("started", "first", ""), ("ended", "first", "succeeded"),
        ("started", "second", ""), ("ended", "second", "succeeded"),
    ]  # fmt: skip
    assert run.summary.status == "succeeded"
    assert client.refresh(run) is None, "nobody is asked any more"
    assert client.url_of(run) == f"https://machines.example/native-{run.id}"


def test_submit_returns_at_once_and_logs_come_as_they_are_printed(project: Project, client: Client) -> None:
    run = client.submit(source(project), {"seconds": 1.0})
    assert run.status == "running"
    said = [(name, text.split(" ", 1)[1]) for name, _, text in client.follow_logs(run)]
    assert said == [("first", "first speaks\n"), ("second", "second begins\n")]
    assert run.status == "succeeded"


def test_what_nothing_of_ours_could_say_comes_from_the_platform(
    project: Project, client: Client, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Machines, "translate", lambda self, plan, stack=None: Spec("machines", {"run.sh": "exit 3\n"}))
    machines.says = NativeRun("failed", "no machine left", {"first": NativeTask("failed", "killed", "no disk")})
    run = client.run(source(project), on_event=lambda event: None, raise_on_failure=False)
    tasks = {task.name: task for task in run.state.tasks}
    assert run.status == "failed"
    assert (tasks["first"].state, tasks["first"].cause.kind, tasks["first"].cause.message) == (
        "failed", "killed", "no disk",
    )  # type: ignore[union-attr]  # fmt: skip
    assert tasks["second"].state == "upstream_failed"
    assert list(client.native_logs(run, "first")) == ["first was never heard of"]


def test_a_task_that_was_cut_off_is_failed_by_what_the_platform_says(
    project: Project, client: Client, machines: Machines
) -> None:
    run = client.submit(source(project), {"seconds": 60.0})
    for _ in client.follow_logs(run, "first"):
        break
    process = machines.processes[f"native-{run.id}"]
    while run.state.tasks[1].state != "running":
        pass
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    native = client.refresh(run)
    assert native is not None
    assert native.status == "failed"
    second = run.state.tasks[1]
    assert second.state == "failed"
    assert second.cause is not None
    assert second.cause.kind == "killed"
    assert run.status == "failed"


def test_cancel_reaches_the_platform(project: Project, client: Client, machines: Machines) -> None:
    run = client.submit(source(project), {"seconds": 60.0})
    while run.state.tasks[1].state != "running":
        pass
    assert client.cancel(run)
    assert machines.processes[f"native-{run.id}"].poll() is not None
    client.refresh(run)
    assert run.status == "cancelled"
    assert not client.cancel(run)


def test_a_platform_that_is_silent_for_a_while_is_asked_again(
    project: Project, client: Client, machines: Machines
) -> None:
    run = client.submit(source(project))
    machines.silent = True
    with pytest.raises(PlatformError, match="do not answer"):
        client.refresh(run)
    machines.silent = False
    machines.processes[f"native-{run.id}"].wait()
    client.refresh(run)
    assert run.status == "succeeded"


def test_schedules(project: Project, client: Client, machines: Machines) -> None:
    made = client.schedule(source(project), "0 3 * * *", {"seconds": 1.0})
    assert client.schedules("two") == [made]
    assert client.schedules("other") == []
    plan: Any = client.load(source(project)).plan
    assert client.store.exists(f"plans/{plan.digest}.json")
    assert not list(client.runs())
    client.delete_schedule(made.id)
    assert client.schedules() == []
    with pytest.raises(BadInput, match="no cron expression of five fields"):
        client.schedule(source(project), "0 0 3 * * *")


def test_a_machine_alone_has_no_schedules(project: Project) -> None:
    done = project.crossdock("submit", "pipe.py", "--cron", "0 3 * * *")
    assert done.code == 2
    assert "[no-schedules]" in done.err
    done = project.crossdock("schedules", "list")
    assert done.code == 2
    assert "[no-schedules]" in done.err
