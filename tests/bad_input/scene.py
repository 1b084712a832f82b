"""What a case of bad input happens in: a small project with stacks, and a store with three runs."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PIPELINE = """\
from pathlib import Path

from crossdock import pipeline, step


@step
def load(rows: int) -> list[int]:
    return list(range(rows))


@step
def keep(numbers: list[int]) -> Path:
    file = Path("numbers.txt")
    file.write_text(" ".join(map(str, numbers)))
    return file


@step
def total(file: Path, numbers: list[int], fail: bool) -> int:
    print("adding up")
    if fail:
        raise ValueError("too late")
    return sum(numbers) + len(file.read_text())


@pipeline
def report(rows: int = 3, fail: bool = False) -> int:
    numbers = load(rows)
    return total(keep(numbers), numbers, fail)
"""

COUNTING = """\
from pathlib import Path

from crossdock import pipeline, step


@step
def count(data: Path) -> int:
    with open(data) as file:
        return len(file.read().split())


@pipeline
def counting(data: Path) -> int:
    return count(data)
"""

FILES = {
    "pyproject.toml": "",
    "pipe.py": PIPELINE,
    "counting.py": COUNTING,
    ".crossdock/.gitignore": "# What is personal, such as the active stack.\n/local/\n",
    ".crossdock/local/lock": "",
    ".crossdock/stacks/dev.yaml": "components:\n  orchestrator: here\n  artifact_store: near\n",
    ".crossdock/components/orchestrator/here.yaml": "flavor: local\n",
    ".crossdock/components/orchestrator/cluster.yaml": "flavor: kubeflow\n",
    ".crossdock/components/artifact_store/near.yaml": "flavor: local\n",
}
RUNS = (
    ("run", "pipe.py", "--run-id", "morning-1"),
    ("run", "pipe.py", "--run-id", "evening-1", "-p", "fail=true"),
    ("run", "pipe.py", "--run-id", "large", "-p", "rows=60000"),
)
_HEX = re.compile(r"\b[0-9a-f]{64}\b")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b")
_SECONDS = re.compile(r"\b\d+\.\d s\b")
_MINTED = re.compile(r"\br(?=[a-z0-9]*\d|[a-z0-9]{9,})[a-z0-9]{8,12}-[a-z0-9]{6}\b")
_MARKS = re.compile(r"^ *[~^]+\n", re.MULTILINE)
_SHORT = re.compile(r"sha256:[0-9a-f]{8,63}")


@dataclass(frozen=True)
class Scene:
    """Folders of one case: all that a command could write to."""

    top: Path

    @property
    def project(self) -> Path:
        return self.top / "project"

    @property
    def store(self) -> Path:
        return self.top / "store"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "CROSSDOCK_STORE": str(self.store),
            "CROSSDOCK_CONFIG": str(self.top / "user"),
            "HOME": str(self.top / "home"),
            "XDG_DATA_HOME": str(self.top / "home" / "data"),
            "COLUMNS": "120",
            "NO_COLOR": "1",
        }

    def write(self, name: str, text: str | bytes) -> Path:
        """A file of the project."""
        return _write(self.project / name, text)

    def stored(self, key: str) -> Path:
        """A file of the store; `*` in its name stands for the one digest that fits."""
        found = list(self.store.glob(key))
        assert len(found) == 1, (key, found)
        return found[0]

    def copy_of(self, template: Scene) -> Scene:
        """The template here; its runs say that their code is here too."""
        shutil.copytree(template.top, self.top, dirs_exist_ok=True)
        for file in self.store.glob("runs/*/run.json"):
            file.write_text(file.read_text().replace(str(template.project), str(self.project)))
        return self

    def tree(self) -> dict[str, str]:
        """Every file by its digest, and every folder."""
        return {
            path.relative_to(self.top).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            if path.is_file()
            else ""
            for path in sorted(self.top.rglob("*"))
            if "__pycache__" not in path.parts
        }

    def masked(self, text: str) -> str:
        """A text without what differs from machine to machine."""
        for path, name in ((self.project, "<project>"), (self.store, "<store>"), (self.top, "<top>")):
            text = text.replace(path.as_uri(), f"file://{name}").replace(str(path), name)
        text = _TIME.sub("<time>", text)
        text = _SHORT.sub("sha256:<digest>", _HEX.sub("<digest>", text))
        return _MARKS.sub("", _SECONDS.sub("<seconds>", _MINTED.sub("<run>", text)))


@dataclass(frozen=True)
class Case:
    """One wrong thing, and the command of a user who meets it.

    Attributes:
        name: `group/case`, the golden's file.
        id: the stable id of the error; of a task that failed, the kind of its cause.
        command: what is typed behind `crossdock`.
        prepare: makes the thing wrong.
        code: the exit code.
        env: the environment; `{store}`, `{project}` and `{top}` stand for the folders.
        process: run as a program of its own.
        runs: whether it begins a run, which is then recorded as a failed one.
    """

    name: str
    id: str
    command: str
    prepare: Callable[[Scene], Any] = lambda scene: None
    code: int = 2
    env: dict[str, str] = field(default_factory=dict)
    process: bool = False
    runs: bool = False


def _write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def file(name: str, text: str | bytes) -> Callable[[Scene], Any]:
    """A file of the project."""
    return lambda scene: scene.write(name, text)


def stack(text: str | bytes) -> Callable[[Scene], Any]:
    """The file of stack `dev`."""
    return file(".crossdock/stacks/dev.yaml", text)


def store_component(text: str | bytes) -> Callable[[Scene], Any]:
    """The file of the artifact store of stack `dev`."""
    return file(".crossdock/components/artifact_store/near.yaml", text)


def stored(key: str, change: Callable[[bytes], bytes] | bytes | None) -> Callable[[Scene], Any]:
    """An object of the store, changed, or gone."""

    def prepare(scene: Scene) -> None:
        path = scene.stored(key)
        if change is None:
            path.unlink()
        else:
            path.write_bytes(change if isinstance(change, bytes) else change(path.read_bytes()))

    return prepare


def document(key: str, change: Callable[[Any], Any]) -> Callable[[Scene], Any]:
    """A JSON document of the store, changed in place."""

    def edit(data: bytes) -> bytes:
        body = json.loads(data)
        change(body)
        return json.dumps(body).encode()

    return stored(key, edit)


def both(*steps: Callable[[Scene], Any]) -> Callable[[Scene], Any]:
    """Several changes."""

    def prepare(scene: Scene) -> None:
        for step in steps:
            step(scene)

    return prepare


def cut(data: bytes) -> bytes:
    """The first half."""
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    """One bit is another."""
    return bytes([data[0] ^ 1]) + data[1:]
