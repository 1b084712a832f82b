"""The local orchestrator through `crossdock run`: order, branches, maps, failures, workers, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from running import CROSSDOCK, LIMIT, Done, Project, finish, lines, wait_for

from crossdock_runtime.failure import KINDS
from crossdock_runtime.record import STATES

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "run.json").read_text(encoding="utf-8"))

HEAD = """
    import os
    import signal
    import time
    from pathlib import Path

    from crossdock import Retry, RunStatus, after, map, on_exit, one_of, pipeline, step, when


    def note(text):
        with open(os.environ["JOURNAL"], "ab", buffering=0) as journal:
            journal.write(f"{text} {os.getpid()}\\n".encode())


    def noted(text):
        return sum(line.startswith(f"{text} ") for line in open(os.environ["JOURNAL"]))


    def wait_until(text, count):
        end = time.monotonic() + 100
        while noted(text) < count:
            assert time.monotonic() < end
            time.sleep(0.005)


    @step
    def one() -> int:
        note("one")
        return 1


    @step
    def add(number: int, more: int = 1) -> int:
        note("add")
        return number + more


    @step
    def fails(number: int = 0) -> int:
        note("fails")
        raise ValueError(f"no {number}")


    @step
    def total(numbers: list[int]) -> int:
        return sum(numbers)


    @step
    def bye(status: RunStatus) -> dict[str, object]:
        note("bye")
        return {"status": status.status, "ok": status.ok, "failed": status.failed, "causes": status.causes}
"""
STOPPED = ["--max-workers", "1"], ["--max-workers", "2"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.env["JOURNAL"] = str(tmp_path / "journal")
    (tmp_path / "journal").touch()
    return found


def write(project: Project, text: str) -> None:
    project.write(HEAD + text)


def journal(project: Project) -> list[str]:
    return [line.rpartition(" ")[0] for line in lines(Path(project.env["JOURNAL"]))]


def pids(project: Project, what: str) -> list[int]:
    return [int(line.split()[-1]) for line in lines(Path(project.env["JOURNAL"])) if line.startswith(f"{what} ")]


def checked(done: Done) -> Any:
    """The document of a run, after it was held against the schema."""
    jsonschema.Draft202012Validator(SCHEMA).validate(done.document)
    return done.document


def states(document: Any) -> dict[str, str]:
    return {task: body["state"] for task, body in document["tasks"].items()}


def value(document: Any, task: str) -> Any:
    return document["tasks"][task]["outputs"]["output"]["value"]


def test_the_schema_has_every_state_and_cause() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["task"]["properties"]["state"]["enum"] == list(STATES)
    assert SCHEMA["$defs"]["cause"]["properties"]["kind"]["enum"] == list(KINDS)


# What a failure does

FAILURE = """
    @step
    def late(number: int) -> int:
        return number

    @pipeline(on_failure="{on_failure}")
    def main() -> None:
        on_exit(bye)
        bad = fails(7)
        below = add(bad)
        add(below)
        late(one())
"""


@pytest.mark.parametrize("workers", STOPPED, ids=str)
@pytest.mark.parametrize("on_failure", ["stop", "continue"])
def test_a_failure(project: Project, on_failure: str, workers: list[str]) -> None:
    write(project, FAILURE.replace("{on_failure}", on_failure))
    done = project.run(*workers)
    assert done.code == 1
    document = checked(done)
    found = states(document)
    assert document["status"] == "failed"
    assert found["fails"] == "failed"
    assert (found["add"], found["add-2"]) == ("upstream_failed", "upstream_failed")
    if on_failure == "continue":
        assert (found["one"], found["late"]) == ("succeeded", "succeeded")
    elif workers == ["--max-workers", "1"]:
        assert (found["one"], found["late"]) == ("cancelled", "cancelled")
    cause = document["tasks"]["fails"]["cause"]
    assert (cause["kind"], cause["message"], cause["type"]) == ("user exception", "ValueError: no 7", "ValueError")
    assert value(document, "bye") == {
        "status": "failed", "ok": False, "failed": ["fails"], "causes": ["ValueError: no 7"],
    }  # fmt: skip
    assert states(checked(project.crossdock("runs", "show", "latest", "--json"))) == found


def test_running_tasks_finish_after_a_failure(project: Project) -> None:
    write(project, """
    @step
    def slow() -> str:
        note("slow")
        wait_until("failing", 1)
        time.sleep(0.3)
        return "finished"

    @step
    def failing() -> None:
        wait_until("slow", 1)
        note("failing")
        raise ValueError("now")

    @pipeline
    def main() -> None:
        done = slow()
        failing()
        afterwards(done)

    @step
    def afterwards(text: str) -> str:
        note("afterwards")
        return text
    """)  # fmt: skip
    done = project.run("--max-workers", "2")
    assert done.code == 1
    assert states(checked(done)) == {"slow": "succeeded", "failing": "failed", "afterwards": "cancelled"}
    assert "afterwards" not in journal(project)


def test_the_exit_step_after_success(project: Project) -> None:
    write(project, """
    @pipeline
    def main() -> None:
        on_exit(bye)
        add(one())
    """)  # fmt: skip
    done = project.run()
    assert done.code == 0
    assert value(checked(done), "bye") == {"status": "succeeded", "ok": True, "failed": [], "causes": []}
    assert journal(project) == ["one", "add", "bye"]
    project.run()
    assert journal(project)[3:] == ["bye"], "a cached run ends too"


def test_an_exit_step_that_fails_fails_the_run(project: Project) -> None:
    write(project, """
    @step
    def broken(status: RunStatus) -> None:
        raise RuntimeError(status.status)

    @pipeline
    def main() -> None:
        on_exit(broken)
        one()
    """)  # fmt: skip
    done = project.run()
    assert done.code == 1
    document = checked(done)
    assert document["status"] == "failed"
    assert document["tasks"]["broken"]["cause"]["message"] == "RuntimeError: succeeded"


# Branches

BRANCHES = """
    @step
    def say(text: str) -> str:
        note(text)
        return text

    @step
    def both(left: str | None, right: str | None) -> str:
        return f"{left} {right}"

    @step
    def ordered() -> str:
        return "after"

    @pipeline
    def main(number: int = 1, deep: bool = True) -> None:
        with when(add(number) > 10) as big:
            yes = say.with_options(name="yes")("yes")
            with when(deep):
                inner = say.with_options(name="inner")("inner")
            next_ = say.with_options(name="next")(yes)
        with big.otherwise():
            no = say.with_options(name="no")("no")
        say.with_options(name="picked")(one_of(yes, no))
        both(yes, no)
        say.with_options(name="below")(next_)
        say.with_options(name="none-ran")(one_of(inner, next_))
        after(ordered(), next_)
"""


def skipped(document: Any) -> set[str]:
    """The steps that were skipped; a condition on a parameter has a task of its own beside them."""
    return {task for task, state in states(document).items() if state == "skipped" and not task.startswith("when")}


def test_a_branch_and_what_comes_after_it(project: Project) -> None:
    write(project, BRANCHES)
    less = checked(project.run())
    assert skipped(less) == {"yes", "inner", "next", "below", "none-ran"}
    assert less["tasks"]["yes"]["outputs"] == {"output": {"skipped": True}}
    assert (value(less, "picked"), value(less, "both"), value(less, "ordered")) == ("no", "None no", "after")
    more = checked(project.run("-p", "number=10"))
    assert skipped(more) == {"no"}
    assert (value(more, "picked"), value(more, "both"), value(more, "none-ran")) == ("yes", "yes None", "inner")
    flat = checked(project.run("-p", "number=10", "-p", "deep=false"))
    assert skipped(flat) == {"no", "inner"}
    assert value(flat, "none-ran") == "yes"


def test_an_order_only_edge_from_a_failed_task(project: Project) -> None:
    write(project, """
    @pipeline(on_failure="continue")
    def main() -> None:
        after(one(), fails())
    """)  # fmt: skip
    assert states(checked(project.run())) == {"fails": "failed", "one": "upstream_failed"}


# Maps

MAPS = """
    @step
    def rows(count: int) -> list[int]:
        return list(range(count))

    @step
    def cell(row: int, column: int) -> int:
        if row == column == {fail}:
            raise ValueError("here")
        return 10 * row + column

    @step
    def row_of(cells: list[int]) -> str:
        return " ".join(str(cell) for cell in cells)

    @step
    def table(rows: list[str]) -> str:
        return " / ".join(rows)

    @pipeline(on_failure="continue")
    def main(count: int = 3) -> str:
        def one_row(row):
            return row_of(map(lambda column: cell(row, column), rows(row)))
        return table(map(one_row, rows.with_options(name="outer")(count)))
"""


@pytest.mark.parametrize("workers", STOPPED, ids=str)
def test_a_map_in_a_map(project: Project, workers: list[str]) -> None:
    write(project, MAPS.replace("{fail}", "-1"))
    document = checked(project.run(*workers))
    assert value(document, "table") == " / 10 / 20 21"
    cells = [task for task in document["tasks"] if task.startswith("cell")]
    assert cells == ["cell.1.0", "cell.2.0", "cell.2.1"]
    empty = checked(project.run("-p", "count=0", *workers))
    assert value(empty, "table") == ""
    assert not [task for task in empty["tasks"] if task.startswith("cell")]


@pytest.mark.parametrize("workers", STOPPED, ids=str)
def test_a_map_with_an_item_that_fails(project: Project, workers: list[str]) -> None:
    write(project, """
    @step
    def item(number: int) -> int:
        if number == 2:
            raise ValueError("here")
        return number

    @pipeline(on_failure="continue")
    def main() -> int:
        doubled = map(lambda number: add(item(number), number), [1, 2, 3])
        return total(doubled)
    """)  # fmt: skip
    done = project.run(*workers)
    assert done.code == 1
    assert states(checked(done)) == {
        "item.0": "succeeded", "item.1": "failed", "item.2": "succeeded",
        "add.0": "succeeded", "add.1": "upstream_failed", "add.2": "succeeded", "total": "upstream_failed",
    }  # fmt: skip


# Processes

CROWD = """
    @step
    def busy(number: int) -> int:
        note("start")
        if number < 2:
            wait_until("start", 2)  # two of them at once, or this never ends
        time.sleep(0.03)
        note("end")
        return number

    @pipeline
    def main() -> int:
        return total(map(busy, [0, 1, 2, 3, 4, 5], concurrency={limit}))
"""


def crowd(project: Project) -> int:
    """How many were running at once at most."""
    most = now = 0
    for word in journal(project):
        now += {"start": 1, "end": -1}.get(word, 0)
        most = max(most, now)
    return most


@pytest.mark.parametrize(("workers", "limit"), [(4, 2), (2, None), (3, 5)])
def test_so_many_at_once(project: Project, workers: int, limit: int | None) -> None:
    write(project, CROWD.replace("{limit}", str(limit)))
    done = project.run("--max-workers", str(workers))
    assert done.code == 0, str(done)
    assert value(checked(done), "total") == 15
    assert 2 <= crowd(project) <= min(workers, limit or workers)
    assert 2 <= len(set(pids(project, "start"))) <= 6


PLACES = """
    @step(targets={"local": {"isolation": "process"}})
    def apart() -> int:
        note("apart")
        return os.getpid()

    @pipeline
    def main() -> None:
        apart()
        add(one())
"""


def test_one_process_unless_asked(project: Project) -> None:
    write(project, PLACES)
    process = project.start(CROSSDOCK, "run", "pipe.py", "--json")
    done = finish(process)
    assert done.code == 0, str(done)
    assert {*pids(project, "one"), *pids(project, "add")} == {process.pid}
    assert pids(project, "apart") != [process.pid]


def test_a_worker_that_dies(project: Project) -> None:
    write(project, """
    @step
    def dies() -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 1

    @pipeline(on_failure="continue")
    def main() -> None:
        add(dies())
        add.with_options(name="other")(one())
    """)  # fmt: skip
    done = project.run("--max-workers", "2")
    assert done.code == 1
    document = checked(done)
    assert states(document) == {
        "dies": "failed", "add": "upstream_failed", "one": "succeeded", "other": "succeeded",
    }  # fmt: skip
    assert document["tasks"]["dies"]["cause"]["kind"] == "killed"
    assert "SIGKILL" in document["tasks"]["dies"]["cause"]["message"]


@pytest.mark.parametrize("workers", STOPPED, ids=str)
def test_retries_and_timeouts(project: Project, workers: list[str]) -> None:
    write(project, """
    @step(retry=Retry(max_attempts=3))
    def third() -> str:
        note("third")
        if noted("third") < 3:
            raise OSError("not yet")
        return "third"

    @step(timeout=0.4)
    def endless() -> None:
        note("endless")
        time.sleep(600)

    @pipeline(on_failure="continue")
    def main() -> None:
        third()
        endless()
    """)  # fmt: skip
    done = project.run(*workers)
    assert done.code == 1
    tasks = checked(done)["tasks"]
    assert (tasks["third"]["state"], tasks["third"]["attempts"]) == ("succeeded", 3)
    assert (tasks["endless"]["state"], tasks["endless"]["cause"]["kind"]) == ("failed", "timeout")


# What a person sees

BROKEN = """
    def deeper(number):
        return {}["missing"]

    @step
    def breaks(number: int) -> int:
        print("before it breaks")
        return deeper(number)

    @pipeline
    def main() -> int:
        return add(breaks(3))
"""


@pytest.mark.parametrize("workers", STOPPED, ids=str)
def test_a_failed_task_shows_the_users_traceback(project: Project, workers: list[str]) -> None:
    write(project, BROKEN)
    done = project.crossdock("run", "pipe.py", *workers)
    assert done.code == 1
    said = done.out + done.err
    assert "breaks | before it breaks" in said
    start = said.index("Traceback (most recent call last)")
    shown = said[start : said.index("KeyError: 'missing'", start)]
    files = [line.split('"')[1] for line in shown.splitlines() if line.startswith("  File ")]
    assert [Path(file).name for file in files] == ["pipe.py", "pipe.py"]
    assert "in breaks" in shown
    assert "in deeper" in shown
    assert "breaks: user exception: KeyError: 'missing'" in said
    (replay,) = [line.partition("replay: crossdock ")[2] for line in said.splitlines() if "replay: crossdock" in line]
    again = project.crossdock(*replay.split())
    assert again.code == 1
    assert "KeyError: 'missing'" in again.out
    write(project, BROKEN.replace('{}["missing"]', "number"))
    assert project.crossdock(*replay.split()).code == 0


def test_plain_lines_when_piped(project: Project) -> None:
    write(project, BROKEN)
    done = project.crossdock("run", "pipe.py")
    assert "\x1b" not in done.out + done.err
    assert "\r" not in done.out + done.err


def test_a_step_that_writes_bytes_to_its_output(project: Project) -> None:
    write(project, """
    import sys

    @step
    def talks() -> int:
        print("text", end=" ")
        return sys.stdout.buffer.write(b"and b\\xc3") + sys.stdout.buffer.write(b"\\xbctes \\xff\\n")

    @pipeline
    def main() -> None:
        talks()
    """)  # fmt: skip
    done = project.crossdock("run", "pipe.py")
    assert done.code == 0, str(done)
    assert "talks | text and bütes \ufffd\n" in done.out


def test_a_progress_bar_is_one_line_of_the_log(project: Project) -> None:
    write(project, """
    @step
    def talks() -> int:
        print("50%\\r100%")
        return 1

    @pipeline
    def main() -> None:
        talks()
    """)  # fmt: skip
    assert project.crossdock("run", "pipe.py", "--run-id", "r1bar").code == 0
    logs = project.command(CROSSDOCK, "runs", "logs", "r1bar").out
    assert logs.count(" | ") == 1, logs


@pytest.mark.parametrize("workers", [[], ["--max-workers", "2"]], ids=str)
def test_a_reader_who_leaves_harms_no_run(project: Project, workers: list[str]) -> None:
    write(project, """
    @step
    def talks() -> int:
        for number in range(5000):
            print("line", number)
        return 1

    @pipeline
    def main() -> None:
        add(talks())
    """)  # fmt: skip
    process = project.start(CROSSDOCK, "run", "pipe.py", "--run-id", "r1unread", *workers)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(LIMIT) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()
    assert states(checked(project.crossdock("runs", "show", "r1unread", "--json"))) == {
        "talks": "succeeded", "add": "succeeded",
    }  # fmt: skip
    assert "line 4999" in project.crossdock("runs", "logs", "r1unread", "talks").out


# Ctrl-C, and `runs cancel`

LONG = """
    @step
    def long(number: int) -> int:
        note("long")
        if noted("long") < 3:
            time.sleep(600)
        return number

    @pipeline
    def main() -> None:
        on_exit(bye)
        add(long.with_options(name="long")(one()))
        add(long.with_options(name="long-too")(one()))
"""


@pytest.mark.parametrize("how", ["ctrl-c", "sigint", "sigterm", "runs cancel"])
@pytest.mark.parametrize("workers", STOPPED, ids=str)
def test_a_run_is_stopped(project: Project, workers: list[str], how: str) -> None:
    write(project, LONG)
    process = project.start(CROSSDOCK, "run", "pipe.py", "--json", "--run-id", "r1stopped", *workers)
    count = int(workers[1])
    wait_for(lambda: len(pids(project, "long")) == count or process.poll() is not None, "the long steps")
    if how == "runs cancel":
        asked = project.crossdock("runs", "cancel", "r1stopped")
        assert asked.code == 0, str(asked)
    elif how == "ctrl-c":  # a terminal sends it to all of them
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT if how == "sigint" else signal.SIGTERM)
    done = finish(process)
    assert done.code == 1, str(done)
    assert "Traceback" not in done.err, done.err
    document = checked(done)
    assert document["status"] == "cancelled"
    found = states(document)
    assert found["long"] == "cancelled"
    assert (found["add"], found["add-2"], found["bye"]) == ("cancelled", "cancelled", "cancelled")
    assert "bye" not in journal(project), "the exit step does not run after a cancel"
    for pid in pids(project, "long"):
        wait_for(lambda: not alive(pid), "the end of the step's process")  # noqa: B023
    assert states(checked(project.crossdock("runs", "show", "r1stopped", "--json"))) == found

    for _ in range(3 - count):
        with Path(project.env["JOURNAL"]).open("a") as file:
            file.write("long 0\n")
    resumed = project.crossdock("runs", "resume", "r1stopped", "--json")
    assert resumed.code == 0, str(resumed)
    assert states(checked(resumed))["one"] == "cached"


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.exists() and Path("/proc/self").exists():
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
