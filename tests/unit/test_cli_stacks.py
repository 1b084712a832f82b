"""`crossdock stack`, `crossdock <component type>` and `crossdock flavor`, as they are typed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from stack_desk import Desk, make_desk

from crossdock.stacks.definitions import COMPONENT_TYPES, dashed


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return make_desk(tmp_path, monkeypatch)


def config(desk: Desk, type_: str, name: str) -> object:
    return desk.workspace.component(type_, name).config


FLAVORS = {"orchestrator": "local", "artifact_store": "local", "experiment_tracker": "tracker"}
LONG = {type_: f"--{dashed(type_)}" for type_ in COMPONENT_TYPES}
UNDERSCORED = {type_: f"--{type_}" for type_ in COMPONENT_TYPES}
SHORT = dict(zip(COMPONENT_TYPES, ("-o", "-a", "-c", "-s", "-d", "-e", "-f", "-al", "-an"), strict=True))


@pytest.mark.parametrize("type_", COMPONENT_TYPES)
def test_every_verb_of_every_component_type_in_both_spellings(type_: str, desk: Desk) -> None:
    flavor = FLAVORS.get(type_, "toy")
    setting = {"orchestrator": "max_workers", "artifact_store": "path", "experiment_tracker": "port"}.get(type_, "uri")
    desk.do(f"{dashed(type_)} register one --flavor {flavor} --{setting}=7")
    assert "one" in desk.do(f"{type_} list").out
    desk.do(f"{type_} update one --{dashed(setting)} 8")
    assert f"{setting}  8" in desk.do(f"{dashed(type_)} describe one").out
    desk.do(f"{type_} copy one two")
    desk.do(f"{dashed(type_)} rename two three")
    desk.do(f"{type_} update three --remove {setting}")
    assert config(desk, type_, "three") == {}
    desk.do(f"{dashed(type_)} delete one -y")
    names = [item["name"] for item in json.loads(desk.do(f"{type_} list --json").out)]
    assert names == [*(["default"] if type_ in COMPONENT_TYPES[:2] else []), "three"]
    assert json.loads(desk.do(f"{type_} describe three --json").out)["flavor"] == flavor


@pytest.mark.parametrize("spelled", [LONG, UNDERSCORED, SHORT], ids=["dashes", "underscores", "short"])
def test_a_stack_of_everything_in_every_spelling(spelled: dict[str, str], desk: Desk) -> None:
    for type_ in COMPONENT_TYPES:
        desk.do(f"{dashed(type_)} register my-{type_} -f {FLAVORS.get(type_, 'toy')}")
    desk.do("step-operator register other -f toy")
    words = " ".join(f"{spelled[type_]} my-{type_}" for type_ in COMPONENT_TYPES)
    desk.do(f"stack register all {words} {spelled['step_operator']} other --set")
    assert desk.workspace.stack("all").components == {
        type_: (f"my-{type_}", "other") if type_ == "step_operator" else (f"my-{type_}",) for type_ in COMPONENT_TYPES
    }
    removed = " ".join(spelled[type_] for type_ in COMPONENT_TYPES[2:])
    verb = "remove_component" if spelled is UNDERSCORED else "remove-component"
    desk.do(f"stack {verb} {removed}")
    assert set(desk.workspace.stack("all").components) == {"orchestrator", "artifact_store"}


# Settings


def test_settings_are_typed_by_the_flavor(desk: Desk) -> None:
    desk.do(
        "experiment-tracker register t -f tracker --port 80 --mode=on --verify=no --limits.retries=5", "--limits.tags",
        '["a", "no"]', "--labels={team: vision, 'on': '1'}", "--config.user=12", "--token={env: TOKEN}",
    )  # fmt: skip
    assert config(desk, "experiment_tracker", "t") == {
        "port": 80, "mode": "on", "verify": False, "limits": {"retries": 5, "tags": ["a", "no"]},
        "labels": {"team": "vision", "on": "1"}, "user": "12", "token": {"env": "TOKEN"},
    }  # fmt: skip
    desk.do("experiment-tracker update t --verify --limits.retries=6 --remove limits.tags --remove labels")
    found = config(desk, "experiment_tracker", "t")
    assert isinstance(found, dict)
    assert (found["verify"], found["limits"], "labels" in found) == (True, {"retries": 6}, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("register t -f tracker --prot=1", "did you mean 'port'?"),
        ("register t -f tracker --port=many", "port: input should be a valid integer"),
        ("register t -f tracker --port=0", "greater than or equal to 1"),
        ("register t -f tracker --limits.retry=1", "no setting 'limits.retry'"),
        ("register t -f tracker --port=1 --port=2", "--port is given twice"),
        ("register t -f trackr", "did you mean 'tracker'?"),
        ("register -f tracker --port=1", "missing argument 'NAME'"),
        ("register a b -f tracker", "one NAME, not 2"),
        ("register t -f tracker -x", "there is no option '-x'"),
        ("register t --port=1", "missing option '-f'"),
        ("register t -f tracker --port", "the setting 'port' needs a value"),
        ("update t", "nothing to change"),
        ("update t --port=1", "there is no experiment tracker 't'"),
        ("describe t", "there is no experiment tracker 't'"),
        ("describe", "the active stack, 'default', has no experiment tracker"),
        ("delete t -y", "there is no experiment tracker 't'"),
        ("delte t", "Did you mean"),
    ],
)
def test_settings_that_are_none(words: str, said: str, desk: Desk) -> None:
    assert said in desk.do(f"experiment-tracker {words}", code=2).err
    assert not (desk.folder / ".crossdock").exists()


def test_removing_what_is_not_set(desk: Desk) -> None:
    desk.do("experiment-tracker register t -f tracker --port=1")
    assert "did you mean 'port'?" in desk.do("experiment-tracker update t --remove prot", code=2).err


# Secrets

PLANTED = "hunter2-Tr0ub4dor"


@pytest.mark.parametrize(
    "value",
    [PLANTED, f"{{env: '{PLANTED}!'}}", f"{{value: {PLANTED}}}", f"[{PLANTED}]", f"{{env: A, keyring: {PLANTED}}}",
     f"{{keyring: {PLANTED}}}"],
)  # fmt: skip
def test_a_secret_is_a_reference_and_is_shown_nowhere(value: str, desk: Desk) -> None:
    done = desk.do("artifact-store register b -f bucket --url=s3://b", f"--password={value}", code=2)
    assert "password" in done.err
    assert PLANTED not in done.out + done.err
    assert not (desk.folder / ".crossdock").exists()
    # written by hand into a file, it is refused as well, and not shown
    desk.write(
        ".crossdock/components/artifact_store/b.yaml", f"flavor: bucket\nconfig:\n  url: s3://b\n  password: {value}\n"
    )
    desk.write(".crossdock/stacks/s.yaml", "components: {orchestrator: default, artifact_store: b}\n")
    done = desk.do("stack validate s", code=2)
    assert "b.yaml:4" in done.out
    assert PLANTED not in done.out + done.err
    done = desk.do("stack export s", code=2)
    assert PLANTED not in done.out + done.err


@pytest.mark.parametrize("value", [PLANTED, f"[{PLANTED}]", f"{{value: {PLANTED}}}", "4711081542"])
def test_a_secret_in_a_file_is_not_told_on(value: str, desk: Desk) -> None:
    desk.write(
        ".crossdock/components/artifact_store/b.yaml",
        f"flavor: bucket\nconfig:\n  url: s3://b\n  password: {value}\n"
        f"  token: {{env: TOKEN}}\n  inner: {{api_key: {value}, more: 1}}\n",
    )
    desk.write(".crossdock/stacks/s.yaml", "components: {orchestrator: default, artifact_store: b}\n")
    for line in ("artifact-store list", "artifact-store describe b", "stack describe s"):
        for form in (line, f"{line} --json"):
            said = desk.do(form).out
            assert PLANTED not in said
            assert "4711081542" not in said
            assert "s3://b" in said
            assert "TOKEN" in said


@pytest.mark.parametrize(
    "reference",
    [
        "{env: TOKEN}",
        "{keyring: service/me}",
        "{kubernetes: name/key}",
        "{aws: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:db'}",
        "{gcp: projects/p/secrets/s}",
        "{azure: vault/name}",
    ],
)  # fmt: skip
def test_references_to_secrets(reference: str, desk: Desk) -> None:
    desk.do("artifact-store register b -f bucket --url=s3://b", f"--password={reference}")
    desk.do("stack register s -o default -a b")
    assert desk.workspace.build("s").artifact_store.config.password is not None


def test_a_secret_is_resolved_where_it_is_used(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.do("artifact-store register b -f bucket --url=s3://b", "--password={env: DESK_TOKEN}")
    desk.do("stack register s -o default -a b")
    secret = desk.workspace.build("s").artifact_store.config.password
    with pytest.raises(Exception, match="the secret password is not in the environment"):
        secret.resolve("password")
    monkeypatch.setenv("DESK_TOKEN", PLANTED)
    assert secret.resolve("password") == PLANTED
    assert PLANTED not in repr(secret)


# Listing and describing


def test_the_active_stack_is_marked_and_explained(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.stack("dev", protected=True, limits={"cpu": 4})
    desk.do("stack set dev")
    assert desk.do("stack list").out.splitlines() == [
        "   STACK    ORCHESTRATOR  ARTIFACT STORE  GUARDRAILS  WHERE",
        "   default  default       default                     built-in",
        "*  dev      dev-runner    dev-store       protected   project",
    ]
    said = desk.do("stack describe").out
    assert "active, decided by this project" in said
    assert "submitting needs --confirm dev" in said
    assert "IAM of the cloud" in said
    monkeypatch.setenv("CROSSDOCK_STACK", "default")
    assert (
        "not active: 'default' is, decided by the environment variable CROSSDOCK_STACK"
        in desk.do("stack describe dev").out
    )
    assert desk.do("stack get").out == "default\n"
    assert "note: here it is 'default' all the same, by the environment variable" in desk.do("stack set dev").err
    listed = json.loads(desk.do("stack list --json").out)
    assert [(item["name"], item["active"]) for item in listed] == [("default", True), ("dev", False)]
    assert json.loads(desk.do("stack describe dev --json").out)["active_stack"]["name"] == "default"


def test_a_damaged_file_is_a_marked_row_and_exit_code_2(desk: Desk) -> None:
    desk.stack("dev")
    desk.write(".crossdock/stacks/bad.yaml", "components:\n  orchestrator: [\n")
    done = desk.do("stack list", code=2)
    assert [line.split() for line in done.out.splitlines() if "bad" in line] == [["bad", "damaged"]]
    assert "dev-runner" in done.out
    assert ".crossdock/stacks/bad.yaml:2: not YAML" in done.err
    damaged = {item["name"]: "damaged" in item for item in json.loads(desk.do("stack list --json", code=2).out)}
    assert damaged == {"bad": True, "default": False, "dev": False}
    desk.write(".crossdock/components/alerter/odd.yaml", "flavour: toy\n")
    assert "odd.yaml:1" in desk.do("alerter list", code=2).err
    desk.do("stack set dev")
    desk.do("stack copy dev test")


def test_validate_says_every_problem_of_every_stack(desk: Desk) -> None:
    desk.stack("dev")
    assert desk.do("stack validate").out == "default: ok\ndev: ok\n"
    desk.write(".crossdock/stacks/bad.yaml", "components: {orchestrator: gone, artifact_store: lost}\n")
    done = desk.do("stack validate", code=2)
    assert "'gone'" in done.out
    assert "'lost'" in done.out
    desk.do("stack validate dev default")
    usable = {item["name"]: item["usable"] for item in json.loads(desk.do("stack validate --json", code=2).out)}
    assert usable == {"default": True, "bad": False, "dev": True}


def test_flavors(desk: Desk) -> None:
    assert {"type": "annotator", "flavor": "toy"} in json.loads(desk.do("flavor list --json").out)
    assert "bucket" in desk.do("flavor list artifact_store").out
    said = desk.do("flavor describe bucket").out
    assert "password  secret  none      the key to it." in said
    assert "url       str     required  where it is, `s3://bucket/prefix`." in said
    assert "did you mean 'bucket'?" in desk.do("flavor describe buckt", code=2).err
    assert desk.do("flavor describe local").out.count("local") >= 2


# Guardrails


def test_guardrails_are_options(desk: Desk) -> None:
    desk.do(
        "stack register prod -o default -a default --protected --limit cpu=4 --limit memory=16Gi --limit timeout=2h"
        " --allow-user anna --allow-user ben --allow-branch main --deny-branch wip/* --require-clean-git"
        " --require_reviewed --description",
        "the real one",
    )
    assert desk.workspace.stack("prod").guardrails == {
        "protected": True,
        "limits": {"cpu": 4, "memory": "16Gi", "timeout": "2h"},
        "allow": {"users": ["anna", "ben"], "branches": ["main"]},
        "deny": {"branches": ["wip/*"]},
        "require_clean_git": True,
        "require_reviewed": True,
    }
    desk.do("stack update prod --no-protected --limit cpu=8 --limit memory= --allow-user carl --no-require-reviewed")
    desk.do("stack update prod --allow-branch", "", "--deny-branch", "")
    assert desk.workspace.stack("prod").guardrails == {
        "limits": {"cpu": 8, "timeout": "2h"},
        "allow": {"users": ["carl"]},
        "require_clean_git": True,
    }
    assert "did you mean 'cpu'?" in desk.do("stack update prod --limit cpus=1", code=2).err
    assert "no number of bytes a task" in desk.do("stack update prod --limit memory=much", code=2).err
    assert "nothing to change" in desk.do("stack update prod", code=2).err
    assert "write --limit cpu=MOST" in desk.do("stack update prod --limit cpu", code=2).err


# The rest


def test_export_and_import(desk: Desk) -> None:
    desk.stack("dev", protected=True)
    desk.do("stack export dev -o dev.yaml")
    assert desk.do("stack export dev").out == (desk.folder / "dev.yaml").read_text()
    assert json.loads(desk.do("stack export dev --json").out)["stack"]["name"] == "dev"
    desk.do("stack delete dev --yes --recursive")
    desk.do("stack import dev.yaml --name again")
    assert desk.workspace.stack("again").guardrails == {"protected": True}
    assert "gone.yaml" in desk.do("stack import gone.yaml", code=2).err


def test_delete_asks(desk: Desk) -> None:
    desk.stack("dev")
    assert desk.process("stack delete dev").code == 1
    assert desk.process("alerter delete x").code == 2
    assert "did you mean 'dev'?" in desk.do("stack delete dve", code=2).err
    assert "built in" in desk.do("stack delete default", code=2).err
    assert "part of the stacks dev" in desk.do("orchestrator delete dev-runner", code=2).err
    assert "dev" in desk.workspace.files.stack_names()


def test_user_writes_to_the_users_folder(desk: Desk) -> None:
    desk.do("artifact-store register mine -f local --path=/x --user")
    desk.do("stack register home -o default -a mine --user --set")
    assert desk.do("stack get").out == "home\n"
    assert (desk.user / "stacks/home.yaml").exists()
    assert not (desk.folder / ".crossdock").exists()


# Speed


MODULES = """
import atexit, json, sys
atexit.register(lambda: print("MODULES", json.dumps(sorted(sys.modules)), file=sys.stderr))
from crossdock.cli import main
sys.argv = ["crossdock", *sys.argv[1:]]
main()
"""


@pytest.mark.parametrize(
    "line",
    ["stack list", "stack set dev", "stack get", "stack describe", "artifact-store list", "stack rename dev test"],
)
def test_where_a_name_is_asked_no_model_and_no_entry_point_is_loaded(line: str, desk: Desk) -> None:
    desk.stack("dev")
    process = desk.start(sys.executable, "-c", MODULES, *line.split())
    out, err = process.communicate()
    assert process.returncode == 0, out + err
    (told,) = (text for text in err.splitlines() if text.startswith("MODULES "))
    found = set(json.loads(told.removeprefix("MODULES ")))
    assert (
        found & {"pydantic", "pydantic_core", "networkx", "rich", "obstore", "asyncio", "crossdock.registry"} == set()
    )
    assert found & {"importlib.metadata", "crossdock.ir", "crossdock.client", "crossdock_adapters"} == set()
    if line in ("stack set dev", "stack get"):
        assert "yaml" not in found
