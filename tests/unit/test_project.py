"""Finding a project, naming its modules and importing the user's file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossdock.dsl.errors import BadInput, CrossdockError
from crossdock.passes.project import find_project, load_source
from crossdock_runtime import loading
from crossdock_runtime.loading import Project, load_object


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "home"
    root.mkdir()
    (root / "pyproject.toml").write_text("")
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(loading, "_state", loading._State())
    before = set(sys.modules)
    yield root
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize("marker", [".crossdock", ".git", "pyproject.toml"])
def test_the_root_is_the_nearest_folder_with_a_marker(tmp_path: Path, marker: str) -> None:
    write(tmp_path / "outer" / "pyproject.toml")
    write(tmp_path / "outer" / "inner" / marker)
    file = write(tmp_path / "outer" / "inner" / "a" / "b.py")
    assert find_project(file) == Project((tmp_path / "outer" / "inner").resolve(), (".", "a"))


def test_source_in_src(folder: Path) -> None:
    write(folder / "src" / "pkg" / "__init__.py")
    write(folder / "src" / "pkg" / "flow.py", "x = 1")
    loaded = load_source("src/pkg/flow.py:x")
    assert (loaded.module_name, loaded.name) == ("pkg.flow", "x")
    assert loaded.project.python_path == ("src", ".", "src/pkg")
    again = load_source("pkg.flow:x")
    assert again.module is loaded.module
    assert again.file.resolve() == loaded.file


def test_a_file_with_its_neighbour_as_with_python_itself(folder: Path) -> None:
    write(folder / "flows_a" / "helpers_of_a.py", "value = 3")
    write(folder / "flows_a" / "my-pipe.py", "from helpers_of_a import value")
    loaded = load_source("flows_a/my-pipe.py")
    assert loaded.module_name == "flows_a.my-pipe"
    assert loaded.module.value == 3
    assert load_object("flows_a.my-pipe:value", loaded.project) == 3


def test_the_file_is_imported_anew_after_an_edit(folder: Path) -> None:
    file = write(folder / "pipe_one.py", "value = 1")
    assert load_source("pipe_one.py").module.value == 1
    file.write_text("value = 200")
    assert load_source("pipe_one.py").module.value == 200


def test_two_projects_in_one_process(folder: Path, tmp_path: Path) -> None:
    write(folder / "pipe_two.py", "value = 1")
    other = write(tmp_path / "other" / "pyproject.toml").parent
    write(other / "pipe_two.py", "value = 2")
    assert load_source("pipe_two.py").module.value == 1
    assert load_source(str(other / "pipe_two.py")).module.value == 2
    assert load_source("pipe_two.py").module.value == 1
    assert str(other) not in sys.path


@pytest.mark.parametrize("name", ["json.py", "yaml.py", "sys.py"])
def test_a_file_named_like_another_module_is_refused(folder: Path, name: str) -> None:
    import yaml  # noqa: F401

    write(folder / name, "raise SystemExit")
    with pytest.raises(BadInput, match="not this file") as caught:
        load_source(name)
    assert "rename" in str(caught.value.hint)


def test_a_folder_named_like_a_package_is_refused(folder: Path) -> None:
    write(folder / "networkx" / "pipe.py", "x = 1")
    with pytest.raises(BadInput, match="the package 'networkx' is"):
        load_source("networkx/pipe.py")


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("import no_such_library", "imports 'no_such_library', which is not installed", 1),
        ("\n\nx = 1 / 0", "ZeroDivisionError: division by zero", 3),
        ("x = 1\nif x\n", "SyntaxError: expected ':'", 2),
        ("from os import no_such_name", "cannot import name 'no_such_name'", 1),
        ("\nexit(3)", "SystemExit", 2),
    ],
)
def test_errors_name_the_users_line(folder: Path, text: str, message: str, line: int) -> None:
    write(folder / "broken_pipe.py", text)
    with pytest.raises(BadInput, match=message) as caught:
        load_source("broken_pipe.py")
    assert caught.value.where == f"broken_pipe.py:{line}"


def test_an_error_in_a_module_that_the_file_imports(folder: Path) -> None:
    write(folder / "deep_helper.py", "import json\njson.loads('{')")
    write(folder / "outer_pipe.py", "\nimport deep_helper")
    with pytest.raises(BadInput, match="JSONDecodeError") as caught:
        load_source("outer_pipe.py")
    assert caught.value.where == "deep_helper.py:2"


def test_our_own_errors_pass_unchanged(folder: Path) -> None:
    write(folder / "pipe_three.py", "from crossdock.dsl.errors import TraceError\nraise TraceError('mine')")
    with pytest.raises(CrossdockError, match=r"^mine$"):
        load_source("pipe_three.py")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nothing.py", "there is no file 'nothing.py'"),
        (
            "no_such_package.flow",
            "there is no module 'no_such_package.flow', because there is no 'no_such_package'",
        ),
        (".", "is a folder"),
        ("a/b:c d", "is not a name"),
        ("pipe_four.py:", "is not a name"),
        ("sub/", "is a folder"),
        ("v1.2.py", "has a dot in its name"),
        ("notes.txt/", "is not a Python file"),
    ],
)
def test_wrong_sources(folder: Path, source: str, message: str) -> None:
    for name in ("pipe_four.py", "sub/x.py", "v1.2.py", "notes.txt"):
        write(folder / name)
    with pytest.raises(BadInput, match=message):
        load_source(source)


def test_a_missing_module_says_which_are_there(folder: Path) -> None:
    write(folder / "present_pipe.py")
    with pytest.raises(BadInput) as caught:
        load_object("absent_pipe:flow", Project(folder))
    assert caught.value.hint == "modules there: present_pipe"


def test_a_missing_object_says_which_are_there(folder: Path) -> None:
    write(folder / "pipe_five.py", "def flow(): pass\nclass A:\n    b = 1")
    project = Project(folder)
    assert load_object("pipe_five:A.b", project) == 1
    with pytest.raises(BadInput, match="has no 'flw'; it has A, flow"):
        load_object("pipe_five:flw", project)
    with pytest.raises(BadInput, match="inside a function"):
        load_object("pipe_five:flow.<locals>.x", project)
    with pytest.raises(BadInput, match="not the name of an object"):
        load_object("pipe_five", project)


def test_activating_twice_changes_the_path_once(folder: Path) -> None:
    project = Project(folder, (".", "a"))
    project.activate()
    path = list(sys.path)
    project.activate()
    assert sys.path == path
    assert path[:2] == [str(folder), str(folder / "a")]
