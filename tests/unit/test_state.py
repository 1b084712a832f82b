"""How a run stands while it is under way, and when whoever schedules it is gone."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import CROSSDOCK, Project

RETRIES = """
    from crossdock import Retry, pipeline, step

    @step(retry=Retry(max_attempts=3, delay=60))
    def stubborn() -> int:
        raise ValueError("no")

    @pipeline
    def waiting() -> None:
        stubborn()
    """


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@contextlib.contextmanager
def program_of(project: Project) -> Iterator[subprocess.Popen[str]]:
    program = project.start(CROSSDOCK, "run", "pipe.py")
    try:
        yield program
    finally:
        program.kill()
        program.communicate()


def until(project: Project, place: str) -> None:
    """Wait for a fact of the only run."""
    end = time.monotonic() + 60
    while not list(project.store_path.glob(f"runs/*/{place}")):
        assert time.monotonic() < end, f"no {place}"
        time.sleep(0.02)


def shown(project: Project) -> tuple[str, str]:
    document = project.crossdock("runs", "show", "latest", "--json").document
    return document["status"], document["tasks"]["stubborn"]["state"]


def test_a_run_that_waits_for_a_retry_runs(project: Project) -> None:
    project.write(RETRIES)
    with program_of(project) as program:
        until(project, "tasks/stubborn/attempts/1/again.json")
        assert shown(project) == ("running", "running")
        program.kill()
        program.wait()
    assert shown(project) == ("failed", "failed")


def test_a_run_whose_process_died_between_tasks_is_lost(project: Project) -> None:
    project.write(RETRIES)
    with program_of(project) as program:
        until(project, "driver.json")
        program.kill()
        program.wait()
    status, state = shown(project)
    assert status in ("lost", "failed")
    assert state in ("pending", "lost", "failed")
