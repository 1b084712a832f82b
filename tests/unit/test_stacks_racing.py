"""Many processes at once, and processes that are killed: no definition is lost, and none is half written."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from running import finish, wait_for
from stack_desk import Desk, make_desk

from crossdock.dsl.errors import BadInput
from crossdock.stacks.files import write_atomically

WRITERS = 8
ROUNDS = 5


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return make_desk(tmp_path, monkeypatch)


def race(desk: Desk, code: str) -> list[int]:
    """Run a program in eight processes that begin together; their exit codes, sorted."""
    text = f"""
import pathlib, sys, time
me = int(sys.argv[1])
from crossdock.dsl.errors import BadInput
from crossdock.stacks import resolve
from crossdock.stacks.workspace import Workspace
pathlib.Path(f"ready-{{me}}").touch()
while not pathlib.Path("go").exists():
    time.sleep(0.001)
space = Workspace()
{code}
"""
    writers = [desk.python(text, str(number)) for number in range(WRITERS)]
    wait_for(lambda: all((desk.folder / f"ready-{number}").exists() for number in range(WRITERS)), "eight processes")
    (desk.folder / "go").touch()
    ended = [finish(writer) for writer in writers]
    for done in ended:
        assert done.code == 0 or "BadInput" in done.err, str(done)
    return sorted(done.code for done in ended)


def test_registering_at_once_loses_nothing(desk: Desk) -> None:
    codes = race(
        desk,
        f"""
for number in range({ROUNDS}):
    space.create_component("orchestrator", f"o{{me}}-{{number}}", "local", {{"max_workers": me + 1}})
    space.create_stack(f"s{{me}}-{{number}}", {{"orchestrator": f"o{{me}}-{{number}}", "artifact_store": "default"}})
""",
    )
    assert codes == [0] * WRITERS
    space = desk.workspace
    stacks = {stack.name: stack for stack in space.stacks()}
    assert set(stacks) == {"default"} | {f"s{me}-{number}" for me in range(WRITERS) for number in range(ROUNDS)}
    assert all(
        space.build(name).orchestrator.config.max_workers == int(name[1]) + 1 for name in stacks if name != "default"
    )


def test_registering_the_same_name_at_once_succeeds_once(desk: Desk) -> None:
    codes = race(desk, 'space.create_component("orchestrator", "one", "local", {"max_workers": me + 1})')
    assert codes == [0] + [1] * (WRITERS - 1)


def test_updates_of_the_same_stack_lose_nothing(desk: Desk) -> None:
    desk.stack("dev")
    codes = race(
        desk,
        f"""
for number in range({ROUNDS}):
    with space.files.locked():
        pass
    before = space.stack("dev")
    kinds = ["container_registry", "step_operator", "model_deployer", "feature_store", "alerter", "annotator"]
    if me < len(kinds):
        name = f"{{kinds[me]}}-{{number}}"
        space.create_component(kinds[me], name, "toy")
        space.update_stack("dev", {{kinds[me]: name}})
    elif me == 6:
        space.update_stack("dev", description=f"round {{number}}")
    else:
        space.update_stack("dev", guardrails={{"protected": True}})
""",
    )
    assert codes == [0] * WRITERS
    stack = desk.workspace.stack("dev")
    last = ROUNDS - 1
    kinds = ("container_registry", "step_operator", "model_deployer", "feature_store", "alerter", "annotator")
    assert {kind: stack.components[kind] for kind in kinds} == {kind: (f"{kind}-{last}",) for kind in kinds}
    assert (stack.description, stack.guardrails) == (f"round {last}", {"protected": True})


def test_settings_of_the_same_component_lose_nothing(desk: Desk) -> None:
    desk.workspace.create_component("experiment_tracker", "t", "tracker")
    codes = race(desk, 'space.update_component("experiment_tracker", "t", {f"labels.from-{me}": str(me)})')
    assert codes == [0] * WRITERS
    labels = desk.workspace.component("experiment_tracker", "t").config["labels"]
    assert labels == {f"from-{me}": str(me) for me in range(WRITERS)}


def test_one_of_many_renames_wins(desk: Desk) -> None:
    desk.stack("dev")
    desk.workspace.activate("dev")
    codes = race(desk, 'space.rename_stack("dev", f"new-{me}")')
    assert codes == [0] + [1] * (WRITERS - 1)
    (name,) = (name for name in desk.workspace.files.stack_names() if name != "default")
    assert name.startswith("new-")
    assert desk.workspace.active().name == name
    assert desk.workspace.build(name).artifact_store.name == "dev-store"


def test_commands_that_make_and_refuse_the_same_new_folder(desk: Desk) -> None:
    """A refused command takes back the folder that it made, with the lock in it that others wait for."""
    codes = race(
        desk,
        """
for number in range(20):
    try:
        space.copy_stack("default" if number == me else "nothing", f"s{me}")
    except BadInput:
        pass
""",
    )
    assert codes == [0] * WRITERS
    assert desk.workspace.files.stack_names() == ("default", *(f"s{me}" for me in range(WRITERS)))
    assert (desk.folder / ".crossdock/.gitignore").exists()


def test_a_killed_writer_leaves_whole_files_and_no_lock(desk: Desk) -> None:
    desk.stack("dev")
    code = """
from crossdock.stacks.workspace import Workspace
space = Workspace()
number = 0
while True:
    number += 1
    space.update_stack("dev", description=f"{number} " + "x" * 200_000)
    print(number, flush=True)
"""
    for kill in range(8):
        writer = desk.python(code)
        assert writer.stdout is not None
        for _ in range(1 + kill % 3):
            assert writer.stdout.readline()
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        found = desk.workspace.stack("dev")
        assert len(found.description) > 200_000
        assert desk.workspace.update_stack("dev", description="as before").description == "as before"
    left = [name for name in desk.files if name.endswith(".tmp")]
    assert set(desk.files) - set(left) == {
        ".gitignore", "components/artifact_store/dev-store.yaml", "components/orchestrator/dev-runner.yaml",
        "local/lock", "stacks/dev.yaml",
    }  # fmt: skip
    assert "*.tmp" in (desk.folder / ".crossdock/.gitignore").read_text()
    assert desk.workspace.files.stack_names() == ("default", "dev")


@pytest.mark.parametrize("stop", ["fsync", "fdopen"])
def test_a_write_that_fails_midway_leaves_the_file_as_it_was(
    stop: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = desk.write("there.yaml", "as it was\n")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, stop, full)
    with pytest.raises(BadInput, match="cannot be written: No space left on device"):
        write_atomically(file, "new\n" * 1000)
    assert file.read_text() == "as it was\n"
    assert [path.name for path in desk.folder.iterdir() if path.name.endswith(".tmp")] == []


@pytest.mark.parametrize("at", range(4))
def test_a_rename_of_a_component_that_is_cut_off_leaves_every_stack_usable(
    at: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.stack("dev")
    desk.workspace.copy_stack("dev", "test")
    count = 0
    real = Path.replace

    def cut_off(path: Path, target: Path) -> Path:
        nonlocal count
        if count == at:
            raise KeyboardInterrupt
        count += 1
        return real(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", cut_off)
        try:
            desk.workspace.rename_component("artifact_store", "dev-store", "disk")
        except KeyboardInterrupt:
            assert at < 3
    for name in ("dev", "test"):
        assert desk.workspace.build(name).artifact_store.url == "/stores/dev"
