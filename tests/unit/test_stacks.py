"""Stacks and components as files: levels, the active stack, names, damage, and what is refused."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from stack_desk import Desk, make_desk

from crossdock import registry
from crossdock.dsl.errors import BadInput
from crossdock.stacks import ComponentConfig
from crossdock.stacks.workspace import Workspace


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return make_desk(tmp_path, monkeypatch)


def refused(action: Callable[[], Any]) -> str:
    """What is said when something is refused."""
    with pytest.raises(BadInput) as caught:
        action()
    return str(caught.value)


def test_a_stack_is_there_without_any_set_up(desk: Desk) -> None:
    assert [stack.name for stack in desk.workspace.stacks()] == ["default"]
    assert desk.workspace.build("default").orchestrator.flavor == "local"
    assert list(desk.folder.iterdir()) == [desk.folder / "pyproject.toml"]


def test_a_definition_is_one_file_in_a_stable_order(desk: Desk) -> None:
    desk.stack("dev", require_reviewed=True, limits={"memory": "8Gi", "cpu": 2}, protected=True)
    desk.workspace.update_stack("dev", description="où l'on essaie")
    assert desk.files == [
        ".gitignore", "components/artifact_store/dev-store.yaml", "components/orchestrator/dev-runner.yaml",
        "local/lock", "stacks/dev.yaml",
    ]  # fmt: skip
    assert (desk.folder / ".crossdock/stacks/dev.yaml").read_text(encoding="utf-8") == (
        "description: où l'on essaie\ncomponents:\n  orchestrator: dev-runner\n  artifact_store: dev-store\n"
        "protected: true\nlimits:\n  memory: 8Gi\n  cpu: 2\nrequire_reviewed: true\n"
    )
    assert "/local/\n" in (desk.folder / ".crossdock/.gitignore").read_text()


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "a\\b", ".hidden", "", "-x", "x y", "ünï", "x" * 64, "con", "NUL", "com1.dev", "x.", "a\n", "a\0b"],
)
def test_names_that_are_no_file_everywhere(name: str, desk: Desk) -> None:
    space = desk.workspace
    assert "name" in refused(lambda: space.create_stack(name, {"orchestrator": "default", "artifact_store": "default"}))
    assert "name" in refused(lambda: space.create_component("orchestrator", name, "local"))
    desk.stack("dev")
    for action in (space.rename_stack, space.copy_stack):
        assert "name" in refused(lambda action=action: action("dev", name))
    for component in (space.rename_component, space.copy_component):
        assert "name" in refused(lambda component=component: component("orchestrator", "dev-runner", name))
    assert not list(desk.folder.parent.glob("*.yaml"))


def test_names_that_differ_in_case_only(desk: Desk) -> None:
    desk.stack("dev")
    assert "there is a stack 'dev'; on some systems 'Dev' is the same file" in refused(
        lambda: desk.workspace.copy_stack("dev", "Dev")
    )
    assert "did you mean 'dev'" in refused(lambda: desk.workspace.stack("Dev"))


def test_a_name_read_from_elsewhere_leads_nowhere(desk: Desk) -> None:
    desk.write("secret.yaml", "components: {orchestrator: default, artifact_store: default}\n")
    (desk.folder / ".crossdock/stacks").mkdir(parents=True)
    assert "there is no stack '../../secret'" in refused(lambda: desk.workspace.stack("../../secret"))


def test_a_new_name_that_is_taken(desk: Desk) -> None:
    desk.stack("dev")
    desk.stack("prod")
    space = desk.workspace
    for action in (space.copy_stack, space.rename_stack):
        assert ".crossdock/stacks/prod.yaml" in refused(lambda action=action: action("dev", "prod"))
        assert "built in" in refused(lambda action=action: action("dev", "default"))
    assert "already" in refused(lambda: space.create_component("orchestrator", "prod-runner", "local"))
    assert "already" in refused(lambda: space.rename_component("orchestrator", "prod-runner", "dev-runner"))


def test_what_is_built_in_stays(desk: Desk) -> None:
    space = desk.workspace
    for action in (
        lambda: space.delete_stack("default"),
        lambda: space.rename_stack("default", "x"),
        lambda: space.update_stack("default", {"orchestrator": "default"}),
        lambda: space.delete_component("orchestrator", "default"),
        lambda: space.rename_component("artifact_store", "default", "x"),
        lambda: space.update_component("orchestrator", "default", {"max_workers": 2}),
    ):
        assert "built in" in refused(action)
    assert space.copy_stack("default", "mine").components == space.stack("default").components


# Unknown names


def test_unknown_names_get_the_nearest_and_all(desk: Desk) -> None:
    desk.stack("dev")
    space = desk.workspace
    near = "did you mean 'dev'? there is: default, dev"
    for action in (space.stack, space.delete_stack, space.activate, space.export_stack, space.build):
        assert near in refused(lambda action=action: action("dve"))
    assert near in refused(lambda: space.update_stack("dve"))
    for missing in (space.delete_component, space.component):
        assert "did you mean 'dev-runner'?" in refused(lambda missing=missing: missing("orchestrator", "dev-runer"))
    assert "did you mean 'dev-store'?" in refused(lambda: space.update_stack("dev", {"artifact_store": "dev-stor"}))
    assert "did you mean 'orchestrator'?" in refused(lambda: space.components("orchestratr"))
    assert "did you mean 'local'?" in refused(lambda: space.create_component("orchestrator", "x", "locl"))
    assert "did you mean 'max_workers'?" in refused(
        lambda: space.create_component("orchestrator", "x", "local", {"max_worker": 2})
    )
    assert "crossdock annotator register a --flavor FLAVOR" in refused(
        lambda: space.update_stack("dev", {"annotator": "a"})
    )


def test_every_problem_of_a_configuration_at_once(desk: Desk) -> None:
    said = refused(
        lambda: desk.workspace.create_component(
            "orchestrator", "x", "local", {"max_workers": 0, "isolation": 1, "y": 2}
        )
    )
    assert all(word in said for word in ("max_workers", "isolation", "no setting 'y'"))
    assert not (desk.folder / ".crossdock").exists()


def test_a_remote_orchestrator_with_a_local_store(desk: Desk) -> None:
    space = desk.workspace
    space.create_component("orchestrator", "far", "far")
    members = {"orchestrator": "far", "artifact_store": "default"}
    said = refused(lambda: space.create_stack("prod", members))
    assert "it takes s3://, gs://, az://, abfs://" in said
    assert "crossdock stack update prod -a NAME" in said
    space.create_component("artifact_store", "bucket", "bucket", {"url": "s3://b/p"})
    space.create_stack("prod", {**members, "artifact_store": "bucket"})
    # a change of the component behind the stack's back is seen when the stack is used
    space.update_component("artifact_store", "bucket", {"url": "file:///tmp/x"})
    assert "cannot use the artifact store 'bucket'" in refused(lambda: space.build("prod"))


def test_several_step_operators_and_one_of_all_others(desk: Desk) -> None:
    space = desk.workspace
    desk.stack("dev")
    for name in ("one", "two"):
        space.create_component("step_operator", name, "toy")
        space.create_component("alerter", name, "toy")
    assert space.update_stack("dev", {"step_operator": ["one", "two"]}).components["step_operator"] == ("one", "two")
    assert set(space.build("dev").components) == {"step_operator/one", "step_operator/two"}
    assert "one alerter, not 2" in refused(lambda: space.update_stack("dev", {"alerter": ["one", "two"]}))
    assert "alerter" in space.update_stack("dev", {"alerter": "one"}).components
    assert "alerter" not in space.update_stack("dev", remove=["alerter"]).components
    assert "has no alerter" in refused(lambda: space.update_stack("dev", remove=["alerter"]))
    assert "has an orchestrator" in refused(lambda: space.update_stack("dev", remove=["orchestrator"]))


# In use


def test_a_component_in_use_is_not_deleted(desk: Desk) -> None:
    desk.stack("dev")
    space = desk.workspace
    space.copy_stack("dev", "test")
    said = refused(lambda: space.delete_component("artifact_store", "dev-store"))
    assert "part of the stacks dev, test" in said
    assert "crossdock stack update dev --artifact-store OTHER" in said
    space.delete_stack("dev", components=True)
    assert space.files.component_names("artifact_store") == ("default", "dev-store")
    assert space.delete_stack("test", components=True) == [
        ("orchestrator", "dev-runner"), ("artifact_store", "dev-store"),
    ]  # fmt: skip
    assert desk.files == [".gitignore", "local/lock"]


def test_a_component_is_renamed_in_its_stacks(desk: Desk) -> None:
    desk.stack("dev")
    space = desk.workspace
    space.copy_stack("dev", "test")
    space.rename_component("artifact_store", "dev-store", "disk")
    assert [space.stack(name).artifact_store for name in ("dev", "test")] == ["disk", "disk"]
    assert space.files.component_names("artifact_store") == ("default", "disk")


# Levels


def test_the_project_comes_before_the_user(desk: Desk) -> None:
    mine = Workspace(user=True)
    mine.create_component("artifact_store", "disk", "local", {"path": "/mine"})
    mine.create_stack("home", {"orchestrator": "default", "artifact_store": "disk"})
    assert (desk.user / "stacks/home.yaml").exists()
    assert desk.files == []
    desk.stack("dev")
    assert {stack.name: stack.level for stack in desk.workspace.stacks()} == {
        "default": "built-in", "dev": "project", "home": "user",
    }  # fmt: skip
    # a colleague's component of the same name comes with git: the user's own stack does not follow it
    desk.write(".crossdock/components/artifact_store/disk.yaml", "flavor: local\nconfig: {path: /theirs}\n")
    assert desk.workspace.build("home").artifact_store.url == "/mine"
    assert desk.workspace.component("artifact_store", "disk").config == {"path": "/theirs"}


def test_a_relative_store_is_one_store_in_every_folder_of_the_project(desk: Desk) -> None:
    desk.workspace.create_component("artifact_store", "disk", "local", {"path": "data/store"})
    desk.workspace.create_stack("dev", {"orchestrator": "default", "artifact_store": "disk"})
    below = desk.folder / "src" / "package"
    below.mkdir(parents=True)
    for folder in (None, desk.folder, below):
        assert Path(Workspace(folder).build("dev").artifact_store.url) == desk.folder / "data/store"
    assert Workspace(below).component("artifact_store", "disk").config == {"path": "data/store"}, "as it was written"


def test_a_stack_of_the_user_has_components_of_the_user(desk: Desk) -> None:
    desk.stack("dev")
    mine = Workspace(user=True)
    members = {"orchestrator": "dev-runner", "artifact_store": "default"}
    assert "register dev-runner --flavor FLAVOR --user" in refused(lambda: mine.create_stack("home", members))
    assert "--user" in refused(lambda: mine.copy_stack("dev", "home"))
    mine.create_component("orchestrator", "mine", "local")
    assert desk.workspace.create_stack("ours", {**members, "orchestrator": "mine"}).level == "project"


def test_what_is_changed_is_written_where_it_is(desk: Desk) -> None:
    mine = Workspace(user=True)
    mine.create_stack("home", {"orchestrator": "default", "artifact_store": "default"})
    desk.stack("dev")
    desk.workspace.update_stack("home", description="changed")
    desk.workspace.rename_stack("home", "house")
    assert sorted(path.name for path in (desk.user / "stacks").iterdir()) == ["house.yaml"]
    assert "already" in refused(lambda: desk.workspace.copy_stack("dev", "house"))


def test_the_nearest_project_upward(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.stack("dev")
    inner = desk.folder / "a/b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert Workspace().stack("dev").level == "project"
    bell = Workspace().create_component("alerter", "bell", "toy")
    assert Path(str(bell.file)).expanduser() == desk.folder / ".crossdock/components/alerter/bell.yaml"


# The active stack


def test_who_decides_the_active_stack(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c", "d"):
        desk.stack(name)
    space = desk.workspace
    assert (space.active().name, "default" in space.active().decided_by) == ("default", True)
    space.activate("a", user=True)
    assert (space.active().name, "user" in space.active().decided_by) == ("a", True)
    space.activate("b")
    assert (space.active().name, "project" in space.active().decided_by) == ("b", True)
    monkeypatch.setenv("CROSSDOCK_STACK", "c")
    assert (space.active().name, "CROSSDOCK_STACK" in space.active().decided_by) == ("c", True)
    assert (space.active("d").name, space.active("d").decided_by) == ("d", "--stack")


def test_outside_of_a_project_the_active_stack_is_the_users(desk: Desk) -> None:
    Workspace(user=True).create_stack("home", {"orchestrator": "default", "artifact_store": "default"})
    assert desk.workspace.activate("home") == desk.user / "local/active-stack"
    assert not (desk.folder / ".crossdock").exists()


def test_the_active_stack_follows_its_name(desk: Desk) -> None:
    desk.stack("dev")
    space = desk.workspace
    space.activate("dev")
    space.rename_stack("dev", "test")
    assert space.active().name == "test"
    space.delete_stack("test")
    assert space.active().name == "default"


def test_an_active_stack_that_is_not_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSDOCK_STACK", "prd")
    said = refused(desk.workspace.stack)
    assert "'prd', which is the active one by the environment variable CROSSDOCK_STACK" in said
    assert "crossdock stack set NAME" in said


# Damage

DAMAGED = [
    ("components: [", ":1: not YAML"),
    ("components:\n  orchestrator: a\n  orchestrator: b\n", ":3: not YAML: the key 'orchestrator' comes twice"),
    ("- a\n- b\n", ":1: this is no mapping"),
    ("", ":1: this is no mapping"),
    ("components: {orchestrator: a}\n", "a stack has an artifact store"),
    ("components: 3\n", ":1: a stack has `components:`"),
    (
        "description: x\ncomponents:\n  orchestrator: a\n  artifact_store: [b, c]\n",
        ":4: a stack has one artifact store",
    ),
    ("components: {orchestrator: a, artifact_store: 1}\n", "artifact_store is the name of an artifact store"),
    ("components: {orchestrator: a, artifact_store: b}\nprotectd: true\n", ":2: unknown key 'protectd'"),
    ("components:\n  orchestrator: a\n  artifact_store: b\n  deployer: c\n", ":4: 'deployer' is no component type"),
    ("description: 2024-13-01\n", "not YAML"),
    ("[" * 5000, "not YAML"),
]


@pytest.mark.parametrize(("text", "said"), DAMAGED)
def test_a_damaged_file_is_named_by_line_and_harms_no_other(text: str, said: str, desk: Desk) -> None:
    desk.stack("dev")
    desk.write(".crossdock/stacks/bad.yaml", text)
    space = desk.workspace
    found = refused(lambda: space.stack("bad"))
    assert re.search(r"\.crossdock/stacks/bad\.yaml(:\d+)?", found)
    assert said in found
    assert [stack.name for stack in space.stacks()] == ["default", "dev"]
    assert isinstance(space.survey()["bad"], BadInput)
    assert space.build("dev").name == "dev"
    space.rename_component("artifact_store", "dev-store", "disk")
    space.delete_stack("bad")
    assert space.files.stack_names() == ("default", "dev")


def test_bytes_that_are_no_text(desk: Desk) -> None:
    desk.stack("dev")
    (desk.folder / ".crossdock/stacks/bad.yaml").write_bytes(b"\xff\xfe\x00components")
    assert "bad.yaml" in refused(lambda: desk.workspace.stack("bad"))
    (desk.folder / ".crossdock/stacks/bad.yaml").write_bytes(b"a: \x00")
    assert "bad.yaml" in refused(lambda: desk.workspace.stack("bad"))


def test_a_damaged_component(desk: Desk) -> None:
    desk.stack("dev")
    desk.write(".crossdock/components/orchestrator/dev-runner.yaml", "flavor: local\nconfig:\n  max_workers: many\n")
    said = refused(lambda: desk.workspace.build("dev"))
    assert ".crossdock/components/orchestrator/dev-runner.yaml:3: " in said
    assert "max_workers: input should be a valid integer" in said
    desk.write(".crossdock/components/orchestrator/dev-runner.yaml", "flavour: local\n")
    assert "did you mean 'flavor'?" in refused(lambda: desk.workspace.build("dev"))


def test_every_problem_of_a_stack_that_cannot_be_used(desk: Desk) -> None:
    desk.write(
        ".crossdock/stacks/bad.yaml",
        "components:\n  orchestrator: gone\n  artifact_store: odd\n  alerter: lost\n"
        "limits: {cpus: 4}\nprotected: maybe\n",
    )
    desk.write(".crossdock/components/artifact_store/odd.yaml", "flavor: s4\n")
    said = refused(lambda: desk.workspace.build("bad"))
    for words in (
        "'gone'",
        "odd.yaml:1",
        "'s4'",
        "'lost'",
        "bad.yaml:5: there is no limit 'cpus'",
        "bad.yaml:6: protected",
    ):
        assert words in said


def test_a_file_whose_name_is_none(desk: Desk) -> None:
    desk.stack("dev")
    desk.write(".crossdock/stacks/my stack.yaml", "components: {orchestrator: default, artifact_store: default}\n")
    assert "rename the file" in refused(lambda: desk.workspace.stack("my stack"))
    assert [stack.name for stack in desk.workspace.stacks()] == ["default", "dev"]


# A folder that nobody may write to


@pytest.fixture
def powerless() -> Iterator[None]:
    """Root may write everywhere: these tests are of somebody else."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


@pytest.fixture
def in_the_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk in a folder that others may read, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield make_desk(Path(name), monkeypatch)
        monkeypatch.undo()
        for path in Path(name).rglob("*"):
            if path.is_dir():
                path.chmod(0o755)


def test_a_folder_that_cannot_be_written(
    in_the_open: Desk, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = in_the_open
    desk.stack("dev")
    # Somebody else may not be able to read where Crossdock is installed: all of it is loaded before.
    desk.workspace.build("dev")
    desk.workspace.copy_stack("dev", "once")
    desk.workspace.activate("once")
    desk.workspace.delete_stack("once")
    points = {type_: registry._points(type_) for type_ in registry.GROUPS}
    monkeypatch.setattr(registry, "_points", points.__getitem__)
    place = desk.folder / ".crossdock"
    for path in (place, *place.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    request.getfixturevalue("powerless")
    space = desk.workspace
    assert [stack.name for stack in space.stacks()] == ["default", "dev"]
    for action in (
        lambda: space.copy_stack("dev", "test"),
        lambda: space.delete_stack("dev"),
        lambda: space.update_stack("dev", description="x"),
        lambda: space.activate("dev"),
        lambda: space.create_component("orchestrator", "x", "local"),
    ):
        assert "cannot be written: Permission denied" in refused(action)
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_a_file_where_the_folder_should_be(desk: Desk) -> None:
    desk.write(".crossdock", "")
    assert "cannot be written" in refused(lambda: desk.workspace.copy_stack("default", "mine"))


def test_a_refused_command_leaves_no_folder_behind(desk: Desk) -> None:
    space = desk.workspace
    for action in (
        lambda: space.update_stack("dev"),
        lambda: space.delete_stack("dev"),
        lambda: space.create_stack("dev", {"orchestrator": "x", "artifact_store": "default"}),
        lambda: space.copy_component("orchestrator", "x", "y"),
    ):
        refused(action)
        assert not (desk.folder / ".crossdock").exists()


def test_true_is_no_number_wherever_it_stands() -> None:
    class Inner(ComponentConfig):
        count: int = 0

    class Config(ComponentConfig):
        whole: int | None = None
        part: float = 0
        several: tuple[int, ...] = ()
        truth: bool = False
        either: int | bool = 0
        inner: Inner = Inner()
        anything: Mapping[str, Any] = {}

    for name, value in (("whole", True), ("part", False), ("several", [1, True]), ("inner", {"count": True})):
        with pytest.raises(ValidationError, match="takes no true or false"):
            Config(**{name: value})
    assert Config(truth=True, either=True, anything={"x": [True]}).either is True
