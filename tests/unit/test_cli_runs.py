"""`crossdock runs …` on a store with a few runs: every verb, its JSON, wrong names, exit codes."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from running import Project

from crossdock_runtime import artifacts
from crossdock_runtime.record import RunRecord

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schemas" / "run.json").read_text(encoding="utf-8"))

SOURCE = """
    import os
    from pathlib import Path

    from crossdock import map, pipeline, step, when


    def note(text):
        with open(os.environ["JOURNAL"], "a") as journal:
            journal.write(f"{text}\\n")


    @step
    def start(number: int) -> int:
        note("start")
        print("starting", number)
        return number


    @step
    def data(number: int) -> bytes:
        note("data")
        return b"0123456789" * number


    @step
    def item(number: int) -> int:
        note(f"item{number}")
        print("item", number)
        if number == 2 and os.environ.get("BREAK"):
            raise ValueError("item two")
        return number * number


    @step
    def collect(squares: list[int], data: bytes) -> dict[str, int]:
        note("collect")
        return {"sum": sum(squares), "size": len(data)}


    @step
    def never() -> str:
        return "never"


    @pipeline
    def main(number: int = 3) -> dict[str, int]:
        first = start(number)
        with when(first > 100):
            never()
        return collect(map(item, [1, 2, 3]), data(first))
"""
ROWS = """
    @step
    def rows(number: int) -> list[int]:
        return list(range(1, number + 1))
"""
OTHER = """
    from crossdock import pipeline, step

    @step
    def alone() -> str:
        return "alone"

    @pipeline
    def other() -> str:
        return alone()
"""
GOOD, BAD, ELSE = "r1good", "r1bad", "r1else"


def project_in(folder: Path) -> Project:
    project = Project(folder)
    project.write(SOURCE)
    project.write(OTHER, "other.py")
    project.env["JOURNAL"] = str(folder / "journal")
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A run that succeeded, one that failed, one of another pipeline; tests that read may share it."""
    found = project_in(tmp_path_factory.mktemp("runs"))
    assert found.run("--run-id", GOOD).code == 0
    assert found.run("--run-id", BAD, "-p", "number=4", env={"BREAK": "1"}, source="pipe.py").code == 0
    assert found.run("--run-id", ELSE, source="other.py").code == 0
    return found


@pytest.fixture
def own(tmp_path: Path) -> Project:
    """A project for a test that writes."""
    return project_in(tmp_path)


def journal(project: Project) -> list[str]:
    path = Path(project.env["JOURNAL"])
    found = path.read_text().split() if path.exists() else []
    path.write_text("")
    return found


def checked(document: Any) -> Any:
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    return document


def states(document: Any) -> dict[str, str]:
    return {task: body["state"] for task, body in document["tasks"].items()}


# Reading


def test_list(project: Project) -> None:
    done = project.crossdock("runs", "list")
    assert done.code == 0
    head, *rows = [line.split() for line in done.out.splitlines()]
    assert head == ["RUN", "PIPELINE", "STATUS", "CREATED", "TASKS"]
    assert [row[:3] for row in rows] == [
        [ELSE, "other", "succeeded"], [BAD, "main", "succeeded"], [GOOD, "main", "succeeded"],
    ]  # fmt: skip
    listed = project.crossdock("runs", "list", "--json").document
    assert [row["run"] for row in listed] == [ELSE, BAD, GOOD]
    for row in listed:
        assert {"run", "pipeline", "status", "created"} <= set(row)
        assert datetime.datetime.fromisoformat(row["created"]).tzinfo is not None
    assert [row["run"] for row in project.crossdock("runs", "list", "-n", "1", "--json").document] == [ELSE]
    of_main = project.crossdock("runs", "list", "--pipeline", "main", "--json").document
    assert [row["run"] for row in of_main] == [BAD, GOOD]
    assert project.crossdock("runs", "list", "--pipeline", "mian", "--json").document == []


def test_list_of_nothing(own: Project) -> None:
    done = own.crossdock("runs", "list")
    assert done.code == 0
    assert "crossdock run" in done.out + done.err
    assert own.crossdock("runs", "list", "--json").document == []
    assert own.crossdock("runs", "show", "latest").code == 2


def test_show(project: Project) -> None:
    document = checked(project.crossdock("runs", "show", GOOD, "--json").document)
    assert (document["run"], document["pipeline"], document["status"]) == (GOOD, "main", "succeeded")
    assert document["parameters"] == {"number": 3}
    assert states(document) == {
        "start": "succeeded", "never": "skipped", "item.0": "succeeded", "item.1": "succeeded",
        "item.2": "succeeded", "data": "succeeded", "collect": "succeeded",
    }  # fmt: skip
    tasks = document["tasks"]
    assert tasks["collect"]["outputs"]["output"]["value"] == {"sum": 14, "size": 30}
    assert "value" not in tasks["data"]["outputs"]["output"]
    assert tasks["never"]["outputs"] == {"output": {"skipped": True}}
    assert tasks["start"]["attempts"] == 1
    shown = project.crossdock("runs", "show", GOOD)
    assert shown.code == 0
    assert "as of" in shown.out
    for name, state in states(document).items():
        assert any(line.split()[1:3] == [name, state] for line in shown.out.splitlines()), name
    cached = checked(project.crossdock("runs", "show", BAD, "--json").document)
    assert states(cached)["item.0"] == "cached"
    assert GOOD in project.crossdock("runs", "show", BAD).out, "whose result it is"


def test_a_run_is_named_by_its_end_and_as_latest(own: Project) -> None:
    first = own.run(source="other.py").document["run"]
    second = own.run(source="other.py").document["run"]
    assert own.crossdock("runs", "show", "latest", "--json").document["run"] == second
    assert own.crossdock("runs", "show", first[-6:], "--json").document["run"] == first
    both = own.crossdock("runs", "show", "r", "--json")
    assert both.code == 2
    assert first in both.err
    assert second in both.err


def test_runs_are_listed_by_time_whatever_their_ids(own: Project) -> None:
    ids = []
    for given in ([], ["--run-id", "zz"], [], ["--run-id", "aa-zz"], ["--run-id", "release-2024"], []):
        ids.append(own.run(*given, source="other.py").document["run"])
        listed = [row["run"] for row in own.crossdock("runs", "list", "--json").document]
        assert listed == ids[::-1]
    assert own.crossdock("runs", "show", "latest", "--json").document["run"] == ids[-1]
    assert own.crossdock("runs", "delete", "zz", "--yes").code == 0
    listed = [row["run"] for row in own.crossdock("runs", "list", "--json").document]
    assert listed == [run for run in ids[::-1] if run != "zz"]


def test_logs(project: Project) -> None:
    done = project.crossdock("runs", "logs", GOOD)
    assert done.code == 0
    rows = [line.split(" ", 3) for line in done.out.splitlines()]
    assert [(place, text) for _, place, _, text in rows] == [
        ("start", "starting 3"), ("item.0", "item 1"), ("item.1", "item 2"), ("item.2", "item 3"),
    ]  # fmt: skip
    for time, *_ in rows:
        assert datetime.datetime.fromisoformat(time).tzinfo is not None
    assert project.crossdock("runs", "logs", GOOD, "item.1").out.count("\n") == 1
    assert project.crossdock("runs", "logs", GOOD, "item").out.count("\n") == 3
    assert project.crossdock("runs", "logs", GOOD, "data").out == ""


def test_outputs(project: Project) -> None:
    done = project.crossdock("runs", "outputs", GOOD)
    assert done.code == 0
    rows = dict(line.split(maxsplit=1) for line in done.out.splitlines())
    assert rows["start.output"] == "3"
    assert rows["item.2.output"] == "9"
    assert "bytes" in rows["data.output"]
    found = project.crossdock("runs", "outputs", GOOD, "--json").document
    assert found["collect.output"]["value"] == {"sum": 14, "size": 30}
    assert found["never.output"] == {"skipped": True}
    assert project.crossdock("runs", "outputs", GOOD, "start.output").out == "3\n"
    one = project.crossdock("runs", "outputs", GOOD, "data.output", "--json").document
    assert set(one) == {"type", "uri", "digest"}
    text = project.crossdock("runs", "outputs", GOOD, "data.output").out
    assert one["uri"] in text
    assert one["digest"] in text


def test_explain_cache(project: Project) -> None:
    found = project.crossdock("runs", "explain-cache", BAD, "data", "--json").document
    assert found["compared_with"] == GOOD
    assert list(found["different"]) == ["input number"]
    assert found["state"] == "succeeded"
    item = project.crossdock("runs", "explain-cache", BAD, "item.2", "--json").document
    assert (item["state"], item["different"]) == ("cached", {})
    shown = project.crossdock("runs", "explain-cache", BAD, "data")
    assert shown.code == 0
    assert f"different from {GOOD}" in shown.out
    none = project.crossdock("runs", "explain-cache", GOOD, "never")
    assert none.code == 2
    assert "crossdock runs show" in none.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "r1goood"], "r1goood"),
        (["show", ""], "no run"),
        (["show"], "RUN"),
        (["logs", GOOD, "colect"], "did you mean 'collect'"),
        (["logs", GOOD, "item.7"], "item.7"),
        (["outputs", GOOD, "colect.output"], "did you mean 'collect.output'"),
        (["replay", GOOD, "strat"], "did you mean 'start'"),
        (["explain-cache", GOOD, "colect"], "did you mean 'collect'"),
        (["cancel", "nothing"], "nothing"),
        (["resume", "nothing"], "nothing"),
        (["delete", "nothing", "--yes"], "nothing"),
        (["shwo", GOOD], "shwo"),
        (["list", "-n", "0"], "0"),
        (["list", "--stack", "mine"], "mine"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_is_2(project: Project, words: list[str], said: str) -> None:
    done = project.crossdock("runs", *words)
    assert done.code == 2, str(done)
    assert said in done.err
    assert done.out == ""
    assert "Traceback" not in done.err


def test_a_wrong_verb_gets_a_hint(project: Project) -> None:
    assert "show" in project.crossdock("runs", "shwo", GOOD).err


def test_a_wrong_run_gets_a_hint(project: Project) -> None:
    assert "crossdock runs list" in project.crossdock("runs", "show", "r1goood").err


# Failed runs: show, resume, replay


def broken(project: Project, *arguments: str) -> Any:
    done = project.run("--run-id", BAD, *arguments, env={"BREAK": "1"})
    assert done.code == 1, str(done)
    journal(project)
    return checked(done.document)


def test_show_a_failed_run(own: Project) -> None:
    broken(own)
    shown = own.crossdock("runs", "show", BAD)
    assert shown.code == 0, "it was read, whatever became of it"
    assert shown.out.startswith("item.1: user exception: ValueError: item two")
    assert "in item\n" in shown.out
    assert f"crossdock runs replay {BAD} item.1" in shown.out
    assert f"crossdock runs resume {BAD}" in shown.out


def test_resume(own: Project) -> None:
    document = broken(own)
    failed = {task for task, state in states(document).items() if state not in ("succeeded", "skipped")}
    assert "item.1" in failed
    done = own.crossdock("runs", "resume", BAD, "--json")
    assert done.code == 0, str(done)
    resumed = checked(done.document)
    assert resumed["run"] != BAD
    assert {task for task, state in states(resumed).items() if state == "succeeded"} == failed
    assert set(journal(own)) == {{"item.1": "item2", "item.2": "item3"}.get(task, task) for task in failed}
    assert RunRecord(own.store, resumed["run"]).document()["resume_from"] == BAD  # type: ignore[index]
    assert states(own.crossdock("runs", "show", BAD, "--json").document)["item.1"] == "failed"


def test_resume_with_the_cache_off_adopts_too(own: Project) -> None:
    broken(own, "--no-cache")
    resumed = own.crossdock("runs", "resume", BAD, "--json").document
    assert states(resumed)["start"] == "cached"
    assert "start" not in journal(own)


def test_resume_keeps_the_parameters(own: Project) -> None:
    broken(own, "-p", "number=5")
    resumed = own.crossdock("runs", "resume", BAD, "--json").document
    assert resumed["parameters"] == {"number": 5}
    assert resumed["tasks"]["collect"]["outputs"]["output"]["value"] == {"sum": 14, "size": 50}


def test_resume_of_changed_code_is_refused(own: Project) -> None:
    broken(own)
    own.write(SOURCE.replace("return number * number", "return number + number"))
    done = own.crossdock("runs", "resume", BAD)
    assert done.code == 2
    assert "changed item" in done.err
    assert f"crossdock runs resume {BAD} --accept-changes" in done.err
    assert journal(own) == []
    accepted = own.crossdock("runs", "resume", BAD, "--accept-changes", "--json")
    assert accepted.code == 0, str(accepted)
    assert checked(accepted.document)["tasks"]["collect"]["outputs"]["output"]["value"]["sum"] == 12
    assert "start" not in journal(own), "what was not changed is adopted"


def test_resume_that_fails_again_is_1(own: Project) -> None:
    broken(own)
    done = own.crossdock("runs", "resume", BAD, env={"BREAK": "1"})
    assert done.code == 1
    assert "ValueError: item two" in done.out


def test_resume_where_the_code_is_gone(own: Project) -> None:
    broken(own)
    (own.folder / "pipe.py").unlink()
    done = own.crossdock("runs", "resume", BAD)
    assert done.code == 2
    assert "pipe.py" in done.err


def test_run_with_resume(own: Project) -> None:
    broken(own)
    done = own.run("--resume", BAD, "--no-cache")
    assert done.code == 0, str(done)
    assert states(checked(done.document))["start"] == "cached"
    assert "start" not in journal(own)


def test_replay(own: Project) -> None:
    broken(own)
    before = own.crossdock("runs", "list", "--json").document
    failed = own.crossdock("runs", "replay", BAD, "item.1", env={"BREAK": "1"})
    assert failed.code == 1
    assert "ValueError: item two" in failed.out
    done = own.crossdock("runs", "replay", BAD, "item.1")
    assert done.code == 0, str(done)
    assert journal(own) == ["item2", "item2"]
    logs = done.out.rpartition("crossdock ")[2].split()
    assert own.crossdock(*logs).out.endswith("| item 2\n")
    assert own.crossdock("runs", "list", "--json").document == before, "a scratch run is not listed"
    assert own.crossdock("runs", "replay", BAD, "start").code == 0
    assert journal(own) == ["start"], "a replay never takes a cached result"
    assert states(own.run().document)["item.1"] == "succeeded", "and leaves none"


def test_replay_of_a_task_in_a_process_of_its_own(own: Project) -> None:
    """Its inputs are those of the run, and it runs here all the same."""
    text = SOURCE.replace("    @step\n    def item", "    @step(timeout='1h')\n    def item")
    own.write(text.replace("[1, 2, 3]), data", "rows(first)), data") + ROWS)
    broken(own)
    done = own.crossdock("runs", "replay", BAD, "item.1")
    assert done.code == 0, str(done)
    assert journal(own) == ["item2"]
    assert "item.1 | item 2" in done.out


def test_replay_without_inputs_is_2(own: Project) -> None:
    broken(own)
    done = own.crossdock("runs", "replay", BAD, "collect")
    assert done.code == 2
    assert "item" in done.err
    skipped = own.crossdock("runs", "replay", BAD, "never")
    assert skipped.code == 2 or "never succeeded" in skipped.out


# Cancel and delete


def test_cancel_what_has_ended(own: Project) -> None:
    assert own.run("--run-id", GOOD).code == 0
    done = own.crossdock("runs", "cancel", GOOD)
    assert done.code == 0
    assert "succeeded already" in done.out
    assert own.crossdock("runs", "show", GOOD, "--json").document["status"] == "succeeded"


def test_delete_asks(own: Project) -> None:
    assert own.run("--run-id", GOOD).code == 0
    done = own.crossdock("runs", "delete", GOOD)
    assert done.code == 1, "nobody said yes"
    assert own.crossdock("runs", "show", GOOD).code == 0


def test_delete(own: Project) -> None:
    assert own.run("--run-id", GOOD).code == 0
    assert own.run("--run-id", ELSE, source="other.py").code == 0
    assert own.crossdock("runs", "delete", GOOD, "--yes").code == 0
    assert own.crossdock("runs", "show", GOOD).code == 2
    assert [row["run"] for row in own.crossdock("runs", "list", "--json").document] == [ELSE]
    assert [key for key in own.store.keys("") if GOOD in key] == []
    journal(own)
    assert states(own.run().document)["data"] == "succeeded", "its cache entries went with its bytes"


def test_delete_leaves_what_another_run_uses(own: Project) -> None:
    assert own.run("--run-id", GOOD).code == 0
    assert states(own.run("--run-id", "r2user").document)["data"] == "cached"
    assert own.crossdock("runs", "delete", GOOD, "--yes").code == 0
    result = RunRecord(own.store, "r2user").task("data").result()
    assert result is not None
    assert artifacts.load(own.store, result.outputs["output"]) == b"0123456789" * 3
    assert states(own.run().document)["data"] == "cached", "the cache's entry stays with its bytes"


# crossdock run


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["pipe.py", "-p", "nmber=1"], "number"),
        (["pipe.py", "-p", "number=three"], "three"),
        (["pipe.py", "-p", "number"], "number"),
        (["nowhere.py"], "nowhere.py"),
        (["pipe.py:mian"], "main"),
        (["pipe.py", "--max-workers", "0"], "0"),
        (["pipe.py", "--resume", "nothing"], "nothing"),
        (["pipe.py", "--run-id", GOOD], GOOD),
        (["pipe.py", "--run-id", "a/b"], "'a/b' is no run id"),
        (["pipe.py", "--run-id", ".."], "'..' is no run id"),
        (["pipe.py", "--run-id", "r" * 64], "is no run id"),
        (["pipe.py", "--run-id", ""], "'' is no run id"),
        (["pipe.py", "--stack", "mine"], "mine"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_of_run_is_2(project: Project, words: list[str], said: str) -> None:
    done = project.crossdock("run", *words)
    assert done.code == 2, str(done)
    assert said in done.err
    assert "Traceback" not in done.err


def test_json_is_alone_on_stdout(project: Project) -> None:
    done = project.crossdock("run", "pipe.py", "--json", "--no-cache")
    assert done.code == 0
    checked(json.loads(done.out))
    assert "item.0 | item 1" in done.err
    assert "✓ collect" in done.err


def test_a_damaged_plan_is_healed_by_the_next_run(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("from crossdock import pipeline, step\n\n@step\ndef one() -> int:\n    return 1\n\n"
                  "@pipeline\ndef ones() -> int:\n    return one()\n")  # fmt: skip
    assert project.run("--run-id", "first").code == 0
    (plan,) = (project.store_path / "plans").iterdir()
    plan.write_bytes(plan.read_bytes()[:-9])
    damaged = project.crossdock("runs", "show", "first")
    assert damaged.code == 3
    assert "run the pipeline again" in damaged.err
    assert project.run().code == 0
    assert project.crossdock("runs", "show", "first").code == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", [["runs", "list"], ["runs", "list", "--json"], ["--help"]])
def test_what_cannot_be_printed(words: list[str], tmp_path: Path) -> None:
    project = Project(tmp_path)
    done = project.command("sh", "-c", '"$@" > /dev/full', "sh", sys.executable, "-m", "crossdock", *words)
    assert done.code == 3
    assert done.err.startswith("crossdock: cannot print: No space left on device [cannot-print]")
    assert "Traceback" not in done.err
