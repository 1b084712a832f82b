"""Steps that end their process, or interrupt themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import Project

STEPS = """
    import os
    import threading
    from crossdock import Retry, pipeline, step

    @step
    def leaves() -> int:
        try:
            os._exit(0)
        except Exception:
            return 1

    @step
    def interrupts() -> int:
        raise KeyboardInterrupt

    @step
    def forks() -> int:
        child = os.fork()
        if not child:
            os._exit(7)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    @step
    def other() -> int:
        return 1

    @step
    def threads() -> int:
        thread = threading.Thread(target=os._exit, args=(0,))
        thread.start()
        thread.join()
        return 1

    @pipeline(on_failure="continue")
    def leaving() -> None:
        leaves()
        other()

    @pipeline(on_failure="continue")
    def interrupting() -> None:
        interrupts()
        other()

    @pipeline
    def forking() -> int:
        return forks()

    @pipeline
    def threading_() -> int:
        return threads()
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.write(STEPS)
    return found


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_step_that_calls_exit_fails_and_no_more(workers: str, project: Project) -> None:
    done = project.run("--max-workers", workers, source="pipe.py:leaving")
    assert done.code == 1, str(done)
    assert done.document["status"] == "failed"
    assert done.document["tasks"]["other"]["state"] == "succeeded"
    cause = done.document["tasks"]["leaves"]["cause"]
    assert cause["kind"] == "killed"
    assert "os._exit(0)" in cause["message"]
    assert "pipe.py" in cause["traceback"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_process_that_a_step_forked_may_exit(workers: str, project: Project) -> None:
    done = project.run("--max-workers", workers, source="pipe.py:forking")
    assert done.document["tasks"]["forks"]["outputs"]["output"]["value"] == 7


def test_a_thread_that_calls_exit_ends_the_command_and_not_well(project: Project) -> None:
    done = project.run(source="pipe.py:threading_")
    assert done.code == 1, str(done)
    assert "a thread of the step called os._exit(0)" in done.err
    assert project.crossdock("runs", "list").out.count("lost") == 1


def test_a_step_that_interrupts_itself_in_a_worker_fails(project: Project) -> None:
    done = project.run("--max-workers", "2", source="pipe.py:interrupting")
    assert done.code == 1, str(done)
    assert "Process " not in done.err
    assert done.document["tasks"]["other"]["state"] == "succeeded"
    cause = done.document["tasks"]["interrupts"]["cause"]
    assert (cause["kind"], cause["message"]) == ("user exception", "KeyboardInterrupt")


def test_a_step_that_interrupts_itself_here_is_control_c(project: Project) -> None:
    done = project.run(source="pipe.py:interrupting")
    assert done.code == 1, str(done)
    assert done.document["status"] == "cancelled"
