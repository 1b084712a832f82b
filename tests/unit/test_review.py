"""Bundles: what is exported, what changed since, and what is submitted; through the command line."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from running import Done, Project

from crossdock.review.folder import LOCK, publish
from crossdock.review.lock import digest
from crossdock.review.report import cell, code

SOURCE = """
    from crossdock import Resources, Retry, map, pipeline, step, when


    def scale() -> int:
        return 2


    @step(resources=Resources(cpu=2, memory="4Gi"), retry=Retry(max_attempts=3, delay="10s"))
    def measure(number: int) -> int:
        return number * scale()


    @step(timeout="1h", env={"MODE": "fast"})
    def report(sizes: list[int], title: str) -> str:
        return f"{title}: {sum(sizes)}"


    @step
    def praise(text: str) -> str:
        return f"{text}!"


    @pipeline
    def sizes(title: str = "total", numbers: int = 3) -> str:
        text = report(map(measure, [1, 2, 3]), title)
        with when(text == "total: 12"):
            praise(text)
        return text
"""


BUNDLE = {"plan.json", "REVIEW.md", "dag.svg", "crossdock.lock"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.write(SOURCE)
    return found


def change(project: Project, old: str, new: str, name: str = "pipe.py") -> None:
    text = (project.folder / name).read_text(encoding="utf-8")
    assert old in text
    project.write(text.replace(old, new), name)


def ok(done: Done, code: int = 0) -> Done:
    assert done.code == code, str(done)
    return done


def stack_file(project: Project, name: str, body: str, orchestrator: str = "here") -> None:
    """A stack of the project, with a local orchestrator of its own."""
    project.write(
        f"components:\n  orchestrator: {orchestrator}\n  artifact_store: default\n{body}",
        f".crossdock/stacks/{name}.yaml",
    )
    component = project.folder / f".crossdock/components/orchestrator/{orchestrator}.yaml"
    if not component.exists():
        project.write("flavor: local\n", f".crossdock/components/orchestrator/{orchestrator}.yaml")


def files(folder: Path) -> dict[str, bytes]:
    return {
        item.relative_to(folder).as_posix(): item.read_bytes() for item in sorted(folder.rglob("*")) if item.is_file()
    }


# Export


def test_a_bundle_has_the_spec_the_plan_a_report_a_picture_and_a_lock(project: Project) -> None:
    done = ok(project.crossdock("export", "pipe.py", "-o", "review"))
    assert set(done.out.split()) == {f"review/{name}" for name in BUNDLE}
    assert set(files(project.folder / "review")) == BUNDLE
    report = (project.folder / "review/REVIEW.md").read_text(encoding="utf-8")
    row = next(line for line in report.splitlines() if line.startswith("| `measure`"))
    for text in ("for each of [1, 2, 3]", "pipe:measure", "2 cpu, 4Gi memory", "3 attempts, 10 s apart ×2", "yes"):
        assert text in row
    assert "| cpu | measure | not enforced: tasks share this machine |" in report
    assert "| `report` | `env MODE=fast` |" in report
    assert "```mermaid" in report
    assert "title: str = 'total'" in report


def test_the_bundle_of_another_target_has_its_native_files(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "--target", "kubeflow", "-o", "review"))
    lock = json.loads((project.folder / "review/crossdock.lock").read_text(encoding="utf-8"))
    assert lock["spec"] == ["pipeline.yaml"]
    assert lock["target"] == "kubeflow"
    compiled = ok(project.crossdock("compile", "pipe.py", "--target", "kubeflow")).out
    assert (project.folder / "review/pipeline.yaml").read_text(encoding="utf-8") == compiled
    assert "stack" not in lock


def test_exporting_again_changes_nothing_and_leaves_nothing_stale(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "--target", "kubeflow", "-o", "review"))
    first = files(project.folder / "review")
    ok(project.crossdock("export", "pipe.py", "--target", "kubeflow", "-o", "review"))
    assert files(project.folder / "review") == first
    (project.folder / "review/notes.txt").write_text("mine")
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    assert set(files(project.folder / "review")) == BUNDLE | {"notes.txt"}
    assert not [item for item in project.folder.iterdir() if item.name.startswith(".review")]


def test_a_folder_that_is_no_bundle_is_left_alone(project: Project) -> None:
    project.write("mine", "work/notes.txt")
    done = ok(project.crossdock("export", "pipe.py", "-o", "work"), 2)
    assert "no bundle is in it" in done.err
    assert files(project.folder / "work") == {"notes.txt": b"mine"}


def test_a_file_that_no_export_wrote_is_not_overwritten(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    (project.folder / "review/pipeline.yaml").write_text("mine")
    before = files(project.folder / "review")
    done = ok(project.crossdock("export", "pipe.py", "--target", "kubeflow", "-o", "review"), 2)
    assert "no export wrote it" in done.err
    assert files(project.folder / "review") == before


def test_a_lock_that_names_files_elsewhere_is_refused(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    project.write("mine", "precious.txt")
    lock = project.folder / "review/crossdock.lock"
    body = json.loads(lock.read_text(encoding="utf-8"))
    body["files"]["../precious.txt"] = "sha256:0"
    lock.write_text(json.dumps(body), encoding="utf-8")
    for words in (("export", "pipe.py", "-o", "review"), ("diff", "pipe.py", "review"), ("submit", "review")):
        assert "not a lock" in ok(project.crossdock(*words), 2).err
    assert (project.folder / "precious.txt").exists()


def test_a_pipeline_that_the_target_cannot_run_writes_nothing(project: Project) -> None:
    change(project, "@pipeline", '@pipeline(on_failure="continue")')
    done = ok(project.crossdock("export", "pipe.py", "--target", "kubeflow", "-o", "review"), 2)
    assert "on_failure" in done.err
    assert not (project.folder / "review").exists()


# Several stacks


def test_stacks_side_by_side(project: Project) -> None:
    stack_file(project, "dev", "")
    stack_file(project, "prod", "protected: true\nlimits:\n  memory: 8Gi\n", "apart")
    project.write("flavor: local\nconfig:\n  isolation: process\n", ".crossdock/components/orchestrator/apart.yaml")
    ok(project.crossdock("export", "pipe.py", "--stack", "dev", "--stack", "prod", "-o", "review"))
    table = (project.folder / "review/STACKS.md").read_text(encoding="utf-8")
    assert "| orchestrator | here (local) | apart (local) |" in table
    assert "| orchestrator: isolation | `none` | `process` |" in table
    assert "| guardrails |  | protected: submitting needs --confirm prod; limit: bytes a task: 8Gi" in table
    assert "retries" not in table.partition("The same on all")[0]
    assert set(files(project.folder / "review")) == {
        "STACKS.md", "crossdock.lock",
        *(f"{name}/{file}" for name in ("dev", "prod") for file in BUNDLE),
    }  # fmt: skip
    ok(project.crossdock("diff", "pipe.py", "review"))
    ok(project.crossdock("export", "pipe.py", "--stack", "prod", "-o", "review"))
    assert set(files(project.folder / "review")) == BUNDLE


def test_all_stacks_says_which_cannot_run_it(project: Project) -> None:
    stack_file(project, "small", "limits:\n  memory: 1Gi\n")
    done = ok(project.crossdock("export", "pipe.py", "--all-stacks", "-o", "review"))
    assert "left out: stack 'small' does not take 'sizes'" in done.err
    table = (project.folder / "review/STACKS.md").read_text(encoding="utf-8")
    assert "## small cannot run it" in table
    assert "- `measure`: memory is 4Gi, the stack's limit is 1Gi" in table
    assert {name.partition("/")[0] for name in files(project.folder / "review")} == {
        "STACKS.md",
        "crossdock.lock",
        "default",
    }
    named = ok(project.crossdock("export", "pipe.py", "--stack", "default", "--stack", "small", "-o", "named"), 2)
    assert "memory is 4Gi" in named.err
    assert not (project.folder / "named").exists()


# Diff


def diff(project: Project, code: int = 1) -> Any:
    (found,) = ok(project.crossdock("diff", "pipe.py", "review", "--json"), code).document["bundles"]
    return found


def test_nothing_changed_is_0(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    project.write(SOURCE.replace("number * scale()", "number * scale()  # doubled"))
    assert "the same as in the bundle" in ok(project.crossdock("diff", "pipe.py", "review")).out
    assert diff(project, 0)["same"] is True


CHANGES = [
    ("return 2", "return 3", {"measure": {"code"}}),
    ('memory="4Gi"', 'memory="8Gi"', {"measure": {"resources.memory"}}),
    ("max_attempts=3", "max_attempts=4", {"measure": {"retry.max_attempts"}}),
    ('timeout="1h"', 'timeout="2h"', {"report": {"timeout"}}),
    ('"MODE": "fast"', '"MODE": "slow", "NEW": "1"', {"report": {"env.MODE", "env.NEW"}}),
    ("map(measure, [1, 2, 3])", "map(measure, [1, 2, 4])", {"measure": {"runs"}}),
    ("[1, 2, 3]), title)", '[1, 2, 3]), "fixed")', {"report": {"input title"}}),
    ('text == "total: 12"', 'text != "total: 12"', {"report": {"evaluates"}, "praise": {"runs"}}),
]


@pytest.mark.parametrize(("old", "new", "expected"), CHANGES, ids=[new for _, new, _ in CHANGES])
def test_a_change_is_named_by_task_and_field(
    project: Project, old: str, new: str, expected: dict[str, set[str]]
) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    change(project, old, new)
    found = diff(project)
    changed = {
        task: {field for field in fields if field != "imports"} for task, fields in found["tasks"]["changed"].items()
    }
    assert changed == expected
    assert found["tasks"]["added"] == found["tasks"]["removed"] == {}
    assert "plan.json" in found["files"]


def test_tasks_that_come_and_go(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    change(project, "praise(text)", "report([], text)")
    found = diff(project)
    assert found["tasks"]["removed"] == {"praise": "pipe:praise"}
    assert found["tasks"]["added"] == {"report-2": "pipe:report"}
    shown = ok(project.crossdock("diff", "pipe.py", "review", "--full"), 1).out
    assert "- task praise (pipe:praise)" in shown
    assert "+ task report-2 (pipe:report)" in shown
    assert "+++ plan.json (now)" in shown


def test_parameters_outputs_and_the_stack_are_part_of_it(project: Project) -> None:
    stack_file(project, "dev", "")
    ok(project.crossdock("export", "pipe.py", "--stack", "dev", "-o", "review"))
    change(project, 'title: str = "total"', 'title: str = "sum"')
    project.write("flavor: local\nconfig:\n  max_workers: 4\n", ".crossdock/components/orchestrator/here.yaml")
    found = diff(project)
    assert found["settings"] == {"parameter title": {"before": "str = 'total'", "after": "str = 'sum'"}}
    assert set(found["made_with"]) == {"orchestrator/here"}


def test_tampering_is_said_first(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    plan = project.folder / "review/plan.json"
    plan.write_text(plan.read_text(encoding="utf-8").replace("fast", "slow"), encoding="utf-8")
    shown = ok(project.crossdock("diff", "pipe.py", "review"), 1).out
    assert shown.startswith("TAMPERED review/plan.json: was changed after the export")
    assert "env.MODE: slow → fast" in shown


def test_line_ends_that_git_changed_are_no_tampering(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    for file in (project.folder / "review").iterdir():
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    ok(project.crossdock("diff", "pipe.py", "review"))
    ok(project.crossdock("submit", "review"))


def test_what_is_no_bundle_is_2(project: Project) -> None:
    (project.folder / "empty").mkdir()
    for folder in ("empty", "nowhere"):
        assert "crossdock export SOURCE -o DIR" in ok(project.crossdock("diff", "pipe.py", folder), 2).err
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    assert "'prod'" in ok(project.crossdock("diff", "pipe.py", "review", "--stack", "prod"), 2).err
    (project.folder / "review/dag.svg").unlink()
    assert "dag.svg is in the lock, and not there" in ok(project.crossdock("diff", "pipe.py", "review"), 2).err


def test_a_table_that_was_changed_is_said_first(project: Project) -> None:
    stack_file(project, "dev", "")
    ok(project.crossdock("export", "pipe.py", "--stack", "default", "--stack", "dev", "-o", "review"))
    (project.folder / "review/STACKS.md").write_text("all is well", encoding="utf-8")
    assert ok(project.crossdock("diff", "pipe.py", "review"), 1).out.startswith("TAMPERED review/STACKS.md")


# The folder


class Interrupted(dict[str, str]):
    """Files of which one cannot be had: an export that is ended in the middle."""

    def __init__(self, found: dict[str, str], last: str) -> None:
        super().__init__(found)
        self.last = last

    def __getitem__(self, name: str) -> str:
        if name == self.last:
            raise KeyboardInterrupt
        return super().__getitem__(name)

    def items(self) -> Any:
        return ((name, self[name]) for name in self)


def bundle(version: str) -> dict[str, str]:
    texts = {name: f"{name} {version}\n" for name in ("a.yaml", "b/c.yaml", f"only-{version}.yaml")}
    return {
        **texts,
        LOCK: json.dumps({"crossdock_bundle": 1, "files": {name: digest(text) for name, text in texts.items()}}),
    }


def differing(folder: Path) -> list[str]:
    expected = json.loads((folder / LOCK).read_text(encoding="utf-8"))["files"]
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in expected if (folder / name).is_file()}
    return [name for name in expected if name not in texts or digest(texts[name]) != expected[name]]


@pytest.mark.parametrize("last", bundle("one"))
def test_a_first_export_that_is_interrupted_leaves_nothing(tmp_path: Path, last: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        publish(tmp_path / "review", Interrupted(bundle("one"), last))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("last", bundle("two"))
def test_another_export_that_is_interrupted_is_seen_and_can_be_repeated(tmp_path: Path, last: str) -> None:
    folder = tmp_path / "review"
    publish(folder, bundle("one"))
    with pytest.raises(KeyboardInterrupt):
        publish(folder, Interrupted(bundle("two"), last))
    before = json.loads((folder / LOCK).read_text(encoding="utf-8"))
    assert before == json.loads(bundle("one")[LOCK])
    assert set(differing(folder)) <= {"a.yaml", "b/c.yaml"}
    assert differing(folder) != [] or last == "a.yaml"
    publish(folder, bundle("two"))
    assert files(folder) == {name: text.encode() for name, text in bundle("two").items()}


def test_exports_that_race_leave_a_whole_bundle(tmp_path: Path) -> None:
    folder = tmp_path / "review"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: publish(folder, bundle("one")), range(32)))
    assert files(folder) == {name: text.encode() for name, text in bundle("one").items()}
    assert [item.name for item in tmp_path.iterdir()] == ["review"]


# REVIEW.md


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a | b", r"a \| b"),
        ("two\nlines", "two lines"),
        ("x < 3 and `y < 4`", "x &lt; 3 and `y < 4`"),
        ("one ` alone <b>", "one ’ alone &lt;b>"),
        (code("a`b|c<d"), r"`a’b\|c<d`"),
    ],
)
def test_a_cell_holds_no_markup(text: str, expected: str) -> None:
    assert cell(text) == expected


def test_the_report_says_how_the_orchestrator_is_set(project: Project) -> None:
    stack_file(project, "prod", "protected: true\n", "apart")
    project.write("flavor: local\nconfig:\n  isolation: process\n", ".crossdock/components/orchestrator/apart.yaml")
    ok(project.crossdock("export", "pipe.py", "--stack", "prod", "-o", "review"))
    report = (project.folder / "review/REVIEW.md").read_text(encoding="utf-8")
    assert "| its isolation | `process` |" in report
    assert "- protected: submitting needs --confirm prod" in report
