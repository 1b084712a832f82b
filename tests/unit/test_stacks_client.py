"""The Python API of stacks: the same verbs as the command line's, and lists that behave as sequences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from stack_desk import Desk, make_desk

from crossdock import Client
from crossdock.dsl.errors import BadInput

PIPELINE = """
from crossdock import pipeline, step


@step
def train() -> list[int]:
    return [1, 2]


@pipeline
def pipe() -> list[int]:
    return train()
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return make_desk(tmp_path, monkeypatch)


def test_the_first_day(desk: Desk) -> None:
    client = Client()
    assert client.active_stack.name == "default"
    client.create_component("artifact_store", "disk", "local", path=str(desk.folder / "data"))
    client.create_component("orchestrator", "runner", "local", max_workers=2)
    created = client.create_stack("dev", orchestrator="runner", artifact_store="disk", limits={"cpu": 4})
    assert created == client.get_stack("dev")
    assert client.active_stack.name == "default"
    assert client.activate_stack("dev") == created
    assert client.active_stack.name == Client().active_stack.name == "dev"
    assert client.stack.orchestrator.config.max_workers == 2
    client.update_component("orchestrator", "runner", max_workers=3)
    assert client.stack.orchestrator.config.max_workers == 3
    client.update_stack("dev", limits=None, protected=True, description="d")
    assert client.get_stack("dev").guardrails == {"protected": True}
    client.copy_stack("dev", "test")
    client.rename_stack("test", "prod")
    file = client.export_stack("prod", desk.folder / "prod.yaml")
    client.delete_stack("prod")
    assert client.import_stack(file, name="again").components == created.components
    with pytest.raises(BadInput, match="part of the stacks again, dev"):
        client.delete_component("artifact_store", "disk")
    client.delete_stack("again")
    client.delete_stack("dev", recursive=True)
    assert [item.name for item in client.list_components()] == ["default", "default"]
    with pytest.raises(TypeError, match="did you mean 'artifact_store'"):
        client.update_stack("dev", artifact_stor="x")


def test_lists_are_sequences(desk: Desk) -> None:
    for name in ("a", "b", "c"):
        desk.stack(name)
    desk.workspace.activate("b")
    found = Client().list_stacks()
    assert isinstance(found, Sequence)
    assert [stack.name for stack in found] == ["default", "a", "b", "c"]
    assert (len(found), found[0].name, found[-1].name, found[1] in found) == (4, "default", "c", True)
    assert [stack.name for stack in found[1:3]] == ["a", "b"]
    assert found == Client().list_stacks()
    assert found.index(found[2]) == 2
    lines = repr(found).splitlines()
    assert lines[0].split() == ["STACK", "ORCHESTRATOR", "ARTIFACT", "STORE", "WHERE"]
    assert lines[3].split() == ["*", "b", "b-runner", "b-store", "project"]
    assert "<td>b-runner</td>" in found._repr_html_()
    assert repr(found[:0]) == "(none)"


def test_a_damaged_file_is_told_in_the_list(desk: Desk) -> None:
    desk.stack("dev")
    desk.write(".crossdock/stacks/bad.yaml", "components: <b>\n")
    found = Client().list_stacks()
    assert [stack.name for stack in found] == ["default", "dev"]
    assert "bad.yaml:1" in found.damaged["bad"]
    assert "damaged: .crossdock/stacks/bad.yaml" in repr(found)
    assert "bad.yaml" in found._repr_html_()


def test_components_and_flavors(desk: Desk) -> None:
    client = Client()
    client.create_component("experiment-tracker", "t", "tracker", token={"env": "TOKEN"}, limits={"retries": 1})
    assert client.get_component("experiment_tracker", "t").flavor == "tracker"
    assert [item.name for item in client.list_components("experiment_tracker")] == ["t"]
    client.copy_component("experiment_tracker", "t", "u")
    client.rename_component("experiment_tracker", "u", "v")
    client.update_component("experiment_tracker", "v", remove=["limits"], port=1)
    assert client.get_component("experiment_tracker", "v").config == {"token": {"env": "TOKEN"}, "port": 1}
    flavor = client.get_flavor("artifact_store", "bucket")
    assert (flavor.says, [item["name"] for item in flavor.settings]) == ("A bucket.", ["url", "password"])
    assert {item.name for item in client.list_flavors("artifact_store")} == {"azure", "bucket", "gcs", "local", "s3"}
    assert len(client.list_flavors()) >= 11
    with pytest.raises(BadInput, match="did you mean 'bucket'"):
        client.get_flavor("artifact_store", "buket")


def test_runs_and_artifacts(desk: Desk) -> None:
    desk.write("pipe.py", PIPELINE)
    client = Client()
    assert len(client.list_runs()) == 0
    run = client.run("pipe.py")
    runs = client.list_runs()
    assert [item.id for item in runs] == [run.id]
    assert "succeeded" in repr(runs)
    assert client.get_run("latest").outputs["train.output"].load() == [1, 2]
    artifacts = client.list_artifacts(run.id)
    assert artifacts[0].load() == [1, 2]
    assert repr(artifacts).splitlines()[1].startswith("train.output  [1, 2]")
    assert len(client.list_runs("another")) == 0


def test_a_client_of_a_named_stack_and_of_a_stack(desk: Desk) -> None:
    desk.stack("dev")
    assert Client("dev").active_stack.name == "dev"
    assert Client(Client("dev").stack).active_stack.name == "dev"
    with pytest.raises(BadInput, match="did you mean 'dev'"):
        _ = Client("dve").stack


def test_a_client_of_another_folder(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.stack("dev")
    desk.workspace.activate("dev")
    monkeypatch.chdir(tmp_path)
    assert Client().active_stack.name == "default"
    assert Client(project=desk.folder).active_stack.name == "dev"
