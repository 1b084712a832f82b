"""Submitting: the bytes that were reviewed, on the stack they were made for, as its guardrails allow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from running import CROSSDOCK, Done, Project

from crossdock_runtime.state import read_state

SOURCE = """
    from crossdock import Resources, pipeline, step


    def factor() -> int:
        return 2


    @step(resources=Resources(memory="4Gi"))
    def double(number: int) -> int:
        if number < 0:
            raise ValueError("less than nothing")
        return number * factor()


    @pipeline
    def doubled(number: int = 4) -> int:
        return double(number)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.write(SOURCE)
    found.write("flavor: local\n", ".crossdock/components/orchestrator/here.yaml")
    return found


def stack(project: Project, name: str, *lines: str, orchestrator: str = "here", store: str = "default") -> None:
    """A stack's file, as `crossdock stack register` would write it."""
    text = f"components:\n  orchestrator: {orchestrator}\n  artifact_store: {store}\n"
    project.write("\n".join([text, *lines, ""]), f".crossdock/stacks/{name}.yaml")


def ok(done: Done, code: int = 0) -> Done:
    assert done.code == code, str(done)
    return done


def value(project: Project, run: str) -> object:
    (output,) = (task.result.outputs["output"].value for task in read_state(project.store, run).tasks if task.result)
    return output


def runs(project: Project) -> int:
    folder = project.store_path / "runs"
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_the_run_id_stands_alone_on_stdout(project: Project) -> None:
    done = ok(project.crossdock("submit", "pipe.py", "-p", "number=5"))
    (run,) = done.out.splitlines()
    assert value(project, run) == 10
    assert ok(project.crossdock("submit", "pipe.py", "--wait", "--run-id", "mine")).out == "mine\n"


def test_a_run_that_fails_is_1_with_its_id(project: Project) -> None:
    done = ok(project.crossdock("submit", "pipe.py", "-p", "number=-1", "--run-id", "bad"), 1)
    assert done.out == "bad\n"
    assert "crossdock runs show bad" in done.err


def test_a_bundle_runs_as_it_was_reviewed(project: Project) -> None:
    stack(project, "dev")
    ok(project.crossdock("export", "pipe.py", "--stack", "dev", "-o", "review"))
    lock = json.loads((project.folder / "review/crossdock.lock").read_text(encoding="utf-8"))
    assert value(project, ok(project.crossdock("submit", "review", "-p", "number=6")).out.strip()) == 12
    ok(project.crossdock("submit", "review", "--run-id", "second"))
    document = json.loads(project.store.read("runs/second/run.json"))
    assert document["plan"] == lock["plan"]
    assert document["source"] == lock["source"] == "pipe.py:doubled"
    # What was not reviewed and does not change what runs may change: a comment, another task's settings in the file.
    project.write(SOURCE.replace("def factor", "# a comment\n    def factor").replace('"4Gi"', '"8Gi"'))
    ok(project.crossdock("submit", "review", "--run-id", "third"))
    assert json.loads(project.store.read("runs/third/run.json"))["plan"] == lock["plan"]


def test_a_bundle_is_submitted_from_any_folder_of_the_project(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    below = project.folder / "deep/inside"
    below.mkdir(parents=True)
    done = subprocess.run(
        [CROSSDOCK, "submit", "../../review"],
        cwd=below, env=project.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_changed_code_is_refused_by_name(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    project.write(SOURCE.replace("return 2", "return 3"))
    done = ok(project.crossdock("submit", "review"), 2)
    assert "the code that would run is not the code that was reviewed" in done.err
    assert "pipe:double, or code that it reaches, was changed" in done.err
    project.write(SOURCE.replace("double", "twice"))
    assert "pipe:double is not there any more" in ok(project.crossdock("submit", "review"), 2).err
    (project.folder / "pipe.py").rename(project.folder / "other.py")
    assert "there is no 'pipe.py' below" in ok(project.crossdock("submit", "review"), 2).err
    assert runs(project) == 0


@pytest.mark.parametrize("name", ["plan.json", "REVIEW.md", "dag.svg"])
def test_a_tampered_bundle_is_refused(project: Project, name: str) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    file = project.folder / "review" / name
    file.write_text(file.read_text(encoding="utf-8").replace("4Gi", "400Gi"), encoding="utf-8")
    for words in (("submit", "review"), ("publish", "review")):
        done = ok(project.crossdock(*words), 2)
        assert "is not what was exported" in done.err
        assert f"review/{name}: was changed after the export" in done.err
    assert runs(project) == 0


def test_a_lock_of_another_plan_is_refused(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    file = project.folder / "review/crossdock.lock"
    body = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**body, "plan": "0" * 64}), encoding="utf-8")
    assert "is not the plan that the lock names" in ok(project.crossdock("submit", "review"), 2).err
    file.write_text(json.dumps({**body, "contract": 2}), encoding="utf-8")
    assert "the installation is the older side" in ok(project.crossdock("submit", "review"), 2).err


def test_a_stack_that_was_changed_since_is_refused(project: Project) -> None:
    stack(project, "dev")
    ok(project.crossdock("export", "pipe.py", "--stack", "dev", "-o", "review"))
    project.write("flavor: local\nconfig:\n  isolation: process\n", ".crossdock/components/orchestrator/here.yaml")
    done = ok(project.crossdock("submit", "review"), 2)
    assert "stack 'dev' was changed since the bundle was exported" in done.err
    assert "orchestrator/here was changed" in done.err


def test_a_bundle_for_a_target_alone_is_refused(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "--target", "kubeflow", "-o", "review"))
    assert "for target 'kubeflow' alone, with placeholders" in ok(project.crossdock("submit", "review"), 2).err


def test_a_bundle_goes_to_the_stack_it_was_made_for(project: Project) -> None:
    stack(project, "dev")
    stack(project, "prod")
    ok(project.crossdock("export", "pipe.py", "--stack", "dev", "-o", "one"))
    assert "has no bundle of stack 'prod'" in ok(project.crossdock("submit", "one", "--stack", "prod"), 2).err
    ok(project.crossdock("export", "pipe.py", "--stack", "dev", "--stack", "prod", "-o", "both"))
    assert "choose one: --stack NAME" in ok(project.crossdock("submit", "both"), 2).err
    ok(project.crossdock("submit", "both", "--stack", "prod"))


def test_a_protected_stack_wants_its_name(project: Project) -> None:
    stack(project, "prod", "protected: true")
    for verb in ("submit", "run"):
        done = ok(project.crossdock(verb, "pipe.py", "--stack", "prod"), 2)
        assert "stack 'prod' is protected" in done.err
        assert "--confirm prod" in done.err
    ok(project.crossdock("submit", "pipe.py", "--stack", "prod", "--confirm", "dev"), 2)
    assert runs(project) == 0
    ok(project.crossdock("submit", "pipe.py", "--stack", "prod", "--confirm", "prod"))


def test_a_stack_that_wants_a_review_takes_only_bundles(project: Project) -> None:
    stack(project, "prod", "require_reviewed: true")
    for verb in ("submit", "run"):
        done = ok(project.crossdock(verb, "pipe.py", "--stack", "prod"), 2)
        assert "takes only what was reviewed" in done.err
    ok(project.crossdock("export", "pipe.py", "--stack", "prod", "-o", "review"))
    ok(project.crossdock("submit", "review"))


def test_limits_hold_at_every_door(project: Project) -> None:
    stack(project, "small", "limits:\n  memory: 1Gi")
    for words in (("check",), ("compile",), ("export", "-o", "review"), ("submit",), ("run",)):
        done = project.crossdock(words[0], "pipe.py", *words[1:], "--stack", "small")
        assert done.code == (1 if words == ("check",) else 2), str(done)
        assert "memory is 4Gi, the stack's limit is 1Gi" in done.out + done.err
        assert "pipe.py:" in done.out + done.err


def test_limits_that_came_after_the_review_hold(project: Project) -> None:
    stack(project, "small")
    ok(project.crossdock("export", "pipe.py", "--stack", "small", "-o", "review"))
    stack(project, "small", "limits:\n  memory: 1Gi")
    assert "memory is 4Gi, the stack's limit is 1Gi" in ok(project.crossdock("submit", "review"), 2).err


def test_a_clean_repository_is_that_of_the_code(project: Project) -> None:
    stack(project, "prod", "require_clean_git: true")
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")
    ok(project.crossdock("export", "pipe.py", "--stack", "prod", "-o", "review"))
    ok(project.command("git", "init", "-q"))
    ok(project.command("git", "add", "."))
    assert "wants everything committed" in ok(project.crossdock("submit", "review"), 2).err
    ok(project.command(*git, "commit", "-qm", "all"))
    ok(project.crossdock("submit", "review"))


def test_an_orchestrator_that_cannot_run_says_what_it_can(project: Project) -> None:
    code = """
from crossdock import Client
from crossdock.dsl.errors import CrossdockError
from crossdock.ir import Feature, Level, Support
from crossdock.stacks import ComponentConfig, Orchestrator, Stack

class Compiler(Orchestrator):
    flavor = "compiler"
    features = dict.fromkeys(Feature, Support(Level.FULL))

    def translate(self, plan, stack=None):
        raise AssertionError

stack = Stack("kfp", Compiler("kfp", ComponentConfig()), Client().stack.artifact_store)
try:
    Client(stack).run("pipe.py")
except CrossdockError as error:
    print(error)
"""
    done = ok(project.command(sys.executable, "-c", code))
    assert "orchestrator 'compiler' cannot start runs yet" in done.out
    assert "crossdock export SOURCE --stack kfp -o DIR" in done.out


def test_publish_puts_the_plan_under_its_digest_once(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    plan = json.loads((project.folder / "review/crossdock.lock").read_text(encoding="utf-8"))["plan"]
    first = ok(project.crossdock("publish", "review")).out.strip()
    assert first == f"{project.store.url}/plans/{plan}.json"
    assert ok(project.crossdock("publish", "review")).out.strip() == first
    assert [file.name for file in (project.store_path / "plans").iterdir()] == [f"{plan}.json"]


def test_parameters_that_were_not_reviewed_are_refused(project: Project) -> None:
    ok(project.crossdock("export", "pipe.py", "-o", "review"))
    assert "'numbre'" in ok(project.crossdock("submit", "review", "-p", "numbre=1"), 2).err
    project.write(SOURCE.replace("number: int = 4", "number: int = 4, more: int = 1"))
    done = ok(project.crossdock("submit", "review", "-p", "number=1"), 2)
    assert "parameters are not those that were reviewed" in done.err


def test_the_python_api_does_the_same(project: Project) -> None:
    code = """
from crossdock import Client

client = Client()
exported = client.export("pipe.py", "review")
print(sorted(exported.files))
print([item.same for item in client.diff("pipe.py", "review")])
print(client.show("pipe.py").splitlines()[0])
run = client.submit("review", {"number": 8})
print(run.status, run.outputs["double.output"].load())
"""
    done = ok(project.command(sys.executable, "-c", code))
    assert done.out.splitlines() == [
        "['REVIEW.md', 'crossdock.lock', 'dag.svg', 'plan.json']",
        "[True]",
        "doubled: 1 task",
        "succeeded 16",
    ]
