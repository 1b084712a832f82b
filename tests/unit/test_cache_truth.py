"""The cache never gives a result for other inputs, other code or other settings, and gives it for equal ones."""

from __future__ import annotations

import datetime
import enum
import json
import os
from pathlib import Path
from typing import Any

import pytest
from running import Project

from crossdock import Cache, Client, Resources, Retry, Secret, Settings, pipeline, step
from crossdock_runtime.record import load_fact
from crossdock_runtime.store import Store


class Color(enum.Enum):
    """An enum whose value is a text."""

    RED = "red"


class Number(enum.IntEnum):
    """An enum whose member is equal to a number."""

    ONE = 1


def show(value: Any) -> str:
    """A text that differs for all that Python code could tell apart."""
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}[{', '.join(map(show, value))}]"
    if isinstance(value, dict):
        return f"dict[{', '.join(f'{show(key)}: {show(item)}' for key, item in value.items())}]"
    return f"{type(value).__name__} {value!r}"


NOTHING = "nothing was given"

ARGUMENTS: list[tuple[Any, Any]] = [
    ("1", "2y3"),
    ("1y2", "3"),
    ("12", "y3"),
    ("", "12y3"),
    *((value, NOTHING) for value in [
        1, "1", True, 1.0, Number.ONE, b"1", 10**30, 1e30, "1e30",
        0, -0.0, 0.0, False, "", None, "None", "null", [], {}, [None], [[]],
        [1, [2]], [[1], 2], [1, 2], (1, 2), [(1, 2)], [[1, 2]], ["1", 2], "[1, 2]", [1, 2, None],
        {"a": 1, "b": {"c": 1, "d": 2}}, {"a": 1, "b": {"d": 2, "c": 1}}, {"b": {"c": 1, "d": 2}, "a": 1},
        {"a": "1"}, {"a": 1}, [["a", 1]], {"a": None}, {"$nan": 1},
        float("nan"), "nan", "NaN", float("inf"), float("-inf"), "inf",
        Color.RED, "red", "é", "e\u0301",
        datetime.datetime(2013, 1, 1), datetime.date(2013, 1, 1), "2013-01-01", "2013-01-01T00:00:00",
        datetime.datetime(2013, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(days=1), 86400.0,
    ]),
]  # fmt: skip


@step
def look(first: Any, second: Any) -> str:
    """Say what arrived."""
    return f"{show(first)} / {show(second)}"


@step
def make(number: int) -> Any:
    """An argument, made by a task."""
    return ARGUMENTS[number][0]


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSDOCK_STORE", str(tmp_path / "store"))


def task_of(run: Any, name: str) -> Any:
    (found,) = [task for task in run.state.tasks if task.name == name]
    return found


@pytest.mark.parametrize("way", ["literal", "task", "parameter"])
def test_no_two_values_collide(way: str) -> None:
    """Every value is given to the same step in one store: first none may be known, then all."""
    said: dict[str, int] = {}
    for state in ("succeeded", "cached"):
        for number, (first, second) in enumerate(ARGUMENTS):

            def values(value: Any) -> None:
                look(value if way == "parameter" else make(number) if way == "task" else first, second)  # noqa: B023

            values.__annotations__["value"] = type(first)
            run = Client().run(pipeline(name="values")(values), {"value": first})
            task = task_of(run, "look")
            text = run.outputs["look.output"].load()
            wanted = f"{show(first)} / {show(second)}"
            assert text == wanted, f"{wanted} was given, {text} came"
            assert task.state == state, f"{wanted}: {task.state} by {task.result.reason}"
            assert said.setdefault(text, number) == number, f"{text} twice in the list of this test"


# What is part of the key, and what is not


@step
def hello(name: str = "world") -> str:
    """A step without files."""
    return f"hello {name}"


def state_of(*, name: str = "world", no_cache: bool = False, **settings: Any) -> str:
    """Run one task with some settings; its state."""

    @pipeline(name="hello")
    def greet() -> None:
        hello.with_options(**settings)(name)

    return str(task_of(Client().run(greet, cache=not no_cache), "hello").state)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"env": {"A": "1"}}, {"env": {"A": "2"}}),
        ({"env": {"A": "1"}}, {"env": {"A": "1", "B": ""}}),
        ({"env": {"A": "1B"}}, {"env": {"A1": "B"}}),
        ({"env": {"A": "1"}}, {}),
        ({"requirements": ["pandas==2.2.1"]}, {"requirements": ["pandas==2.2.2"]}),
        ({"requirements": ["a", "b"]}, {"requirements": ["a b"]}),
        ({"requirements": []}, {}),
        ({"image": "python:3.11"}, {"image": "python:3.12"}),
        ({"image": "python:3.11"}, {}),
        ({"cache": Cache(depends_on=("v1",))}, {"cache": Cache(depends_on=("v2",))}),
        ({"cache": Cache(depends_on=("v1", "v2"))}, {"cache": Cache(depends_on=("v1v2",))}),
        ({"cache": Cache(depends_on=("v1",))}, {}),
    ],
    ids=str,
)
def test_settings_that_count(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert state_of(**before) == "succeeded"
    assert state_of(**after) == "succeeded"
    assert (state_of(**before), state_of(**after)) == ("cached", "cached")


@pytest.mark.parametrize(
    "settings",
    [
        {"resources": Resources(cpu=1, memory="1Gi")},
        {"retry": Retry(max_attempts=3, delay=1)},
        {"timeout": "1h"},
        {"labels": {"team": "a"}},
        {"secrets": {"TOKEN": Secret(env="PATH")}},
        {"cache": Cache(expires="1h")},
        {"targets": {"local": {"isolation": "process"}}},
        {"requirements": None},
    ],
    ids=str,
)
def test_settings_that_do_not_count(settings: dict[str, Any]) -> None:
    assert state_of() == "succeeded"
    assert state_of(**settings) == "cached"


def test_the_order_of_requirements_does_not_count() -> None:
    assert state_of(requirements=["a", "b"]) == "succeeded"
    assert state_of(requirements=["b", "a"]) == "cached"


def test_a_secret_reference_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONE", "first-value")
    monkeypatch.setenv("TWO", "second-value")
    assert state_of(secrets={"TOKEN": Secret(env="ONE")}) == "succeeded"
    assert state_of(secrets={"TOKEN": Secret(env="TWO")}) == "cached"
    monkeypatch.setenv("TWO", "third-value")
    assert state_of(secrets={"TOKEN": Secret(env="TWO")}) == "cached"


def test_an_argument_counts() -> None:
    assert state_of() == "succeeded"
    assert state_of(name="moon") == "succeeded"
    assert state_of() == "cached"


def test_a_cache_that_is_off() -> None:
    assert state_of(no_cache=True) == "succeeded"
    assert state_of() == "cached"  # a run without the cache keeps what it made
    assert state_of(no_cache=True) == "succeeded"


def test_a_step_whose_cache_is_off_is_neither_found_nor_kept() -> None:
    settings = Settings(cache=Cache(enabled=False))

    def state(name: str, settings: Settings | None = None) -> str:
        @pipeline(name="hello", settings=settings)
        def greet() -> None:
            hello(name)

        return str(task_of(Client().run(greet), "hello").state)

    assert [state("world", settings) for _ in range(2)] == ["succeeded", "succeeded"]
    assert state("world") == "succeeded"
    assert state("world") == "cached"
    assert state("world", settings) == "succeeded"


def test_a_result_expires(tmp_path: Path) -> None:
    assert state_of() == "succeeded"
    assert state_of() == "cached"
    store = Store.open(tmp_path / "store")
    (key,) = store.keys("cache")
    entry = load_fact(store, key)
    assert entry is not None
    moment = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=2)
    store.replace(key, json.dumps({**entry, "created": moment.isoformat()}).encode())
    assert state_of(cache=Cache(expires="3h")) == "cached"
    assert state_of(cache=Cache(expires="1h")) == "succeeded"
    assert state_of(cache=Cache(expires="1h")) == "cached"  # the old entry was replaced


# Editing code

SOURCE = """
    from __future__ import annotations

    import functools

    import lib
    from crossdock import pipeline, step

    LIMIT = 10


    def deep(number):
        return number + 1


    def helper(number, plus=5):
        return deep(number) + plus


    def unused(number):
        return number


    def twice(function):
        @functools.wraps(function)
        def wrapped(number):
            return 2 * function(number)

        return wrapped


    @twice
    def decorated(number):
        return number


    class Model:
        factor = 3

        def predict(self, number):
            return self.scale(number)

        def scale(self, number):
            return self.factor * number


    @step
    def work(number: int) -> int:
        # A comment.
        return helper(number) + decorated(number) + Model().predict(number) + lib.far(number) + LIMIT


    @step
    def other(number: int) -> int:
        return number


    @pipeline
    def main(number: int = 1) -> None:
        work(number)
        other(number)
"""
LIBRARY = """
    from inner import base

    SCALE = 7


    def far(number):
        return number * SCALE + base.nearer(number)


    def unused():
        return 1
"""
INNER = """
    def nearer(number):
        return number
"""
FILES = {"pipe.py": SOURCE, "lib.py": LIBRARY, "inner/base.py": INNER, "inner/__init__.py": ""}
MEANT = [
    ("pipe.py", "return number + 1", "return number + 2"),
    ("pipe.py", "plus=5", "plus=6"),
    ("pipe.py", "LIMIT = 10", "LIMIT = 11"),
    ("pipe.py", "2 * function", "3 * function"),
    ("pipe.py", "factor = 3", "factor = 4"),
    ("pipe.py", "self.factor * number", "self.factor + number"),
    ("pipe.py", "    @twice\n", ""),
    ("pipe.py", "+ LIMIT", "- LIMIT"),
    ("lib.py", "SCALE = 7", "SCALE = 8"),
    ("lib.py", "number * SCALE", "number + SCALE"),
    ("inner/base.py", "return number", "return -number"),
]
UNMEANT = [
    ("pipe.py", "# A comment.", "# Another one."),
    ("pipe.py", "        # A comment.\n", ""),
    ("pipe.py", "    LIMIT = 10\n", "\n\n\n    # moved\n    LIMIT = 10  # ten\n"),
    ("pipe.py", "        return deep(number) + plus", "            return deep( number )+plus"),
    ("pipe.py", "helper(number) + ", "helper(\n            number\n        ) + "),
    ("lib.py", "SCALE = 7", "SCALE = 7  # seven"),
    ("inner/base.py", "        return number", "          return number"),
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    found = Project(tmp_path_factory.mktemp("edits"))
    for name, text in FILES.items():
        found.write(text, name)
    assert found.states() == {"work": "succeeded", "other": "succeeded"}
    assert found.states() == {"work": "cached", "other": "cached"}
    return found


@pytest.mark.parametrize(("name", "old", "new"), [*MEANT, *UNMEANT])
def test_an_edit(project: Project, name: str, old: str, new: str) -> None:
    assert FILES[name].count(old) == 1
    project.write(FILES[name].replace(old, new), name)
    try:
        states = project.states()
    finally:
        project.write(FILES[name], name)
    assert states["work"] == ("succeeded" if (name, old, new) in MEANT else "cached")
    if (name, old) != ("pipe.py", "LIMIT = 10"):
        assert states["other"] == "cached"


def test_edits_where_nothing_reaches_them(project: Project) -> None:
    """Another step, and functions that no step calls."""
    project.write(SOURCE.replace("def unused(number):", "def unused(number, more=1):"))
    project.write(LIBRARY.replace("return 1", "return 2"), "lib.py")
    try:
        assert project.states() == {"work": "cached", "other": "cached"}
        end = "\n\n\n    @pipeline"
        project.write(SOURCE.replace(f"return number{end}", f"return +number{end}"))
        assert project.states() == {"work": "cached", "other": "succeeded"}
    finally:
        project.write(SOURCE)
        project.write(LIBRARY, "lib.py")


def test_an_edit_is_not_only_noticed_but_used(project: Project) -> None:
    project.write(SOURCE.replace("LIMIT = 10", "LIMIT = 90"))
    try:
        before, after = 1 + 1 + 5 + 2 + 3 + 7 + 1 + 10, 1 + 1 + 5 + 2 + 3 + 7 + 1 + 90
        assert project.run().document["tasks"]["work"]["outputs"]["output"]["value"] == after
        project.write(SOURCE)
        assert project.run().document["tasks"]["work"]["outputs"]["output"]["value"] == before
    finally:
        project.write(SOURCE)


# Bytes that are not there any more, or not the same

BYTES = """
    from crossdock import pipeline, step

    @step
    def make() -> bytes:
        return b"good" * 1000

    @step
    def read(data: bytes, salt: int) -> int:
        return data.count(b"good")

    @pipeline
    def main(salt: int = 0) -> int:
        return read(make(), salt)
"""


def data_file(project: Project) -> Path:
    (found,) = [path for path in (project.store_path / "data").rglob("*") if path.is_file() and "/make/" in str(path)]
    return found


def test_missing_bytes_are_a_miss(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(BYTES)
    assert project.states()["make"] == "succeeded"
    data_file(project).unlink()
    assert project.states("-p", "salt=1") == {"make": "succeeded", "read": "succeeded"}
    assert data_file(project).is_file()
    assert project.states("-p", "salt=2") == {"make": "cached", "read": "succeeded"}


@pytest.mark.parametrize("tampered", [b"evil" * 1000, b"short", b""], ids=["same size", "shorter", "empty"])
def test_other_bytes_are_never_used(tmp_path: Path, tampered: bytes) -> None:
    project = Project(tmp_path)
    project.write(BYTES)
    assert project.states()["make"] == "succeeded"
    place = data_file(project)
    os.chmod(place, 0o644)  # noqa: PTH101
    place.write_bytes(tampered)
    done = project.run("-p", "salt=1")
    tasks = done.document["tasks"]
    if tasks["make"]["state"] == "cached":  # noticed when it is read: an error that names it
        assert done.code == 1
        assert tasks["read"]["state"] == "failed"
        assert tasks["read"]["cause"]["kind"] == "store"
        assert place.relative_to(project.store_path).as_posix() in tasks["read"]["cause"]["message"]
    else:
        assert done.code == 0
        assert tasks["read"]["outputs"]["output"]["value"] == 1000
    again = project.run("-p", "salt=1", "--no-cache")
    assert again.code == 0, str(again)
    assert project.states("-p", "salt=2") == {"make": "cached", "read": "succeeded"}


# explain-cache


def explain(project: Project, task: str = "work") -> Any:
    return project.crossdock("runs", "explain-cache", "latest", task, "--json").document


def test_explain_cache_names_what_differs(tmp_path: Path) -> None:
    project = Project(tmp_path)
    text = """
        from crossdock import Settings, pipeline, step

        @step(env={"LEVEL": "1"}, image="python:3.11")
        def work(number: int) -> int:
            return number + 1

        @pipeline
        def main(number: int = 1) -> int:
            return work(number)
    """
    project.write(text)
    assert project.states() == {"work": "succeeded"}
    first = explain(project)
    assert (first["state"], first["compared_with"], first["different"]) == ("succeeded", None, {})
    assert {"code", "input number", "env LEVEL", "image", "contract", "output output"} <= set(first["fields"])

    assert project.states() == {"work": "cached"}
    same = explain(project)
    assert (same["state"], same["different"]) == ("cached", {})
    assert same["compared_with"] == first["run"]

    def different(text: str, *arguments: str) -> Any:
        project.write(text)
        assert project.states(*arguments) == {"work": "succeeded"}
        return explain(project)["different"]

    assert set(different(text, "-p", "number=2")) == {"input number"}
    assert set(different(text.replace("number + 1", "number + 2"), "-p", "number=2")) == {"code"}
    text = text.replace("number + 1", "number + 2").replace('"LEVEL": "1"', '"LEVEL": "2"')
    assert different(text, "-p", "number=2") == {"env LEVEL": ["1", "2"]}
    project.write(text.replace("number + 2", "number + 3"))
    project.run("-p", "number=2")
    shown = project.crossdock("runs", "explain-cache", "latest", "work")
    assert shown.code == 0
    assert "  code: sha256:" in shown.out
    assert "  same: env LEVEL" in shown.out
