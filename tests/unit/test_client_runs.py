"""Runs through the Python API, as in a script or a notebook."""

from __future__ import annotations

import subprocess
import sys

import pytest
from running import Project

SCRIPT = """
    from crossdock import Client, pipeline, step

    @step
    def double(number: int) -> int:
        print("doubling", number)
        return number * 2

    @step
    def check(number: int) -> str:
        if number > 4:
            raise ValueError("too much")
        return "fine"

    @pipeline
    def numbers(number: int = 1) -> None:
        check(double(number))

    if __name__ == "__main__":
        import sys
        run = Client().run(numbers, {"number": int(sys.argv[1])})
        print(run.status, run.outputs["double.output"].load())
        print(run.outputs)
    """


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    found = Project(tmp_path_factory.mktemp("client"))
    found.write(SCRIPT, "script.py")
    return found


def script(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "script.py", *words], cwd=project.folder, env=project.env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


def test_what_steps_print_is_seen(project: Project) -> None:
    done = script(project, "2")
    assert done.stdout.splitlines() == [
        "double | doubling 2",
        "succeeded 4",
        "<Outputs",
        "  double.output  4",
        "  check.output   'fine'>",
    ], done.stderr


def test_a_failure_says_which_task_and_why(project: Project) -> None:
    done = script(project, "3")
    assert done.returncode == 1
    assert "failed: check: user exception: ValueError: too much" in done.stderr
    assert 'raise ValueError("too much")' in done.stderr
    assert "crossdock runs show" in done.stderr
