"""Guardrails: what is refused before anything is written, by whom, and with every reason at once."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from stack_desk import Desk, make_desk

from crossdock import Client
from crossdock.dsl.errors import BadInput, CrossdockError, UnsupportedError

PIPELINE = """
from crossdock import Resources, pipeline, step


@step(resources=Resources(cpu=8, memory="32Gi", gpu=2))
def big() -> int:
    return 1


@step(timeout="2h")
def long(number: int) -> int:
    return number + 1


@pipeline
def pipe() -> int:
    return long(big())
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = make_desk(tmp_path, monkeypatch)
    desk.write("pipe.py", PIPELINE)
    return desk


def git(desk: Desk, *words: str) -> None:
    name = ("-c", "user.name=anna", "-c", "user.email=anna@example.com")
    subprocess.run(["git", *name, *words], cwd=desk.folder, check=True, capture_output=True)


def guarded(desk: Desk, **guardrails: Any) -> Client:
    """A client of a stack with guardrails; its store is new."""
    space = desk.workspace
    space.create_component("artifact_store", "store", "local", {"path": str(desk.folder.parent / "data")})
    space.create_stack("prod", {"orchestrator": "default", "artifact_store": "store"}, guardrails=guardrails)
    return Client("prod")


def refused(client: Client, **options: Any) -> list[str]:
    """What is said, one for each reason; nothing was written."""
    with pytest.raises(BadInput) as caught:
        client.run("pipe.py", **options)
    assert not list(Path(client.stack.artifact_store.url).rglob("*"))
    return [problem.message for problem in caught.value.problems]


def test_a_protected_stack_wants_its_name(desk: Desk) -> None:
    client = guarded(desk, protected=True)
    assert refused(client) == ["stack 'prod' is protected"]
    assert refused(client, confirm="dev") == ["'dev' was confirmed, and the stack is 'prod'"]
    run = client.run("pipe.py", confirm="prod")
    assert run.status == "succeeded"
    with pytest.raises(BadInput, match="protected"):
        client.resume(run.id)
    assert client.resume(run.id, confirm="prod").status == "succeeded"


def test_confirming_another_stack_is_refused_where_none_is_protected_too(desk: Desk) -> None:
    assert refused(guarded(desk), confirm="dev") == ["'dev' was confirmed, and the stack is 'prod'"]


def test_every_reason_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "guest-7")
    client = guarded(
        desk, protected=True, require_clean_git=True, require_reviewed=True, allow={"branches": ["main"]},
        deny={"users": ["guest*"]},
    )  # fmt: skip
    assert refused(client) == [
        "stack 'prod' is protected",
        "stack 'prod' takes only what was reviewed",
        "stack 'prod' wants a clean git repository, and this is none",
        "stack 'prod' denies users guest*; this is user 'guest-7'",
        "stack 'prod' allows branches main; this is no branch",
    ]


def test_users(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    client = guarded(desk, allow={"users": ["anna", "ci-*"]}, deny={"users": ["ci-old"]})
    for name, reasons in (("anna", 0), ("ci-7", 0), ("ben", 1), ("ci-old", 1), ("Anna", 1)):
        monkeypatch.setenv("LOGNAME", name)
        if reasons:
            assert len(refused(Client("prod"))) == reasons
    monkeypatch.setenv("LOGNAME", "anna")
    assert client.run("pipe.py").status == "succeeded"


def test_branches_and_a_clean_repository(desk: Desk) -> None:
    client = guarded(desk, require_clean_git=True, allow={"branches": ["main", "release/*"]})
    git(desk, "init", "-b", "wip")
    desk.write(".git/info/exclude", "__pycache__/\n")
    said = refused(client)
    assert said[0].startswith(
        "stack 'prod' wants everything committed, and .crossdock/, pipe.py, pyproject.toml are not"
    )
    assert said[1] == "stack 'prod' allows branches main, release/*; this is branch 'wip'"
    git(desk, "add", "-A")
    git(desk, "commit", "-m", "all")
    assert len(refused(client)) == 1
    git(desk, "checkout", "-b", "release/1")
    assert client.run("pipe.py").status == "succeeded"
    desk.write("pipe.py", PIPELINE + "\n")
    with pytest.raises(BadInput) as caught:
        client.run("pipe.py")
    assert [problem.message for problem in caught.value.problems] == [
        "stack 'prod' wants everything committed, and pipe.py is not"
    ]


def test_limits_are_found_when_a_pipeline_is_compiled_with_task_and_line(desk: Desk) -> None:
    client = guarded(desk, limits={"cpu": 4, "memory": "16Gi", "gpu": 1, "tasks": 1, "timeout": "1h"})
    for action in (client.check, client.compile, client.run):
        with pytest.raises(UnsupportedError) as caught:
            action("pipe.py")
        assert [(problem.task, problem.message) for problem in caught.value.problems] == [
            (None, "the pipeline has 2 tasks, the stack's limit is 1"),
            ("big", "cpu is 8, the stack's limit is 4"),
            ("big", "memory is 32Gi, the stack's limit is 16Gi"),
            ("big", "gpu is 2, the stack's limit is 1"),
            ("big", "it has no timeout, the stack's limit is 3600 s"),
            ("long", "timeout is 7200 s, the stack's limit is 3600 s"),
        ]
        where = [problem.where for problem in caught.value.problems if problem.task]
        assert all("pipe.py:" in str(place) for place in where)
    done = desk.do("check pipe.py --stack prod", code=1)
    assert "pipe.py:17: task 'big': cpu is 8, the stack's limit is 4" in done.out
    assert desk.do("run pipe.py --stack prod", code=2).err.count("the stack's limit") == 6
    assert desk.do("check pipe.py --target local").out.startswith("local: ok")


def test_what_is_within_the_limits(desk: Desk) -> None:
    client = guarded(desk, limits={"cpu": 8, "memory": "32Gi", "gpu": 2, "tasks": 2})
    assert client.run("pipe.py").status == "succeeded"


def test_the_command_line_confirms(desk: Desk) -> None:
    guarded(desk, protected=True)
    assert "--confirm prod" in desk.do("run pipe.py --stack prod", code=2).err
    desk.do("run pipe.py --stack prod --confirm prod")
    assert "--confirm prod" in desk.do("runs resume latest --stack prod", code=2).err
    desk.do("runs resume latest --stack prod --confirm prod")


def test_check_of_a_stack_that_cannot_be_used_names_every_problem(desk: Desk) -> None:
    desk.write(".crossdock/stacks/bad.yaml", "components: {orchestrator: gone, artifact_store: lost}\nprotected: 3\n")
    for verb in ("check", "run", "compile"):
        said = desk.do(f"{verb} pipe.py --stack bad", code=2).err
        assert all(words in said for words in ("'gone'", "'lost'", "bad.yaml:2: protected is true or false"))


WRONG = [
    ({"protected": "yes"}, "protected is true or false"),
    ({"limits": [1]}, "limits is a mapping"),
    ({"limits": {"cpu": True}}, "no number of cores a task"),
    ({"limits": {"memory": "lots"}}, "no number of bytes a task"),
    ({"limits": {"tasks": -1}}, "no number of tasks a pipeline"),
    ({"limits": {"gpu": float("nan")}}, "no number of accelerators a task"),
    ({"limits": {"cores": 1}}, "there is no limit 'cores'"),
    ({"allow": ["anna"]}, "allow is a mapping"),
    ({"allow": {"groups": ["a"]}}, "allow has users and branches, not 'groups'"),
    ({"deny": {"users": {"a": 1}}}, "deny.users is a list of names"),
]


@pytest.mark.parametrize(("guardrails", "said"), WRONG)
def test_guardrails_that_are_none(guardrails: dict[str, Any], said: str, desk: Desk) -> None:
    with pytest.raises(CrossdockError) as caught:
        guarded(desk, **guardrails)
    assert said in str(caught.value)
    assert desk.workspace.files.stack_names() == ("default",)
