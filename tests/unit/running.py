"""For tests that go through the real doors: a small project in a folder, its store, and the `crossdock` program."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossdock_runtime.store import Store

CROSSDOCK = str(Path(sys.executable).with_name("crossdock"))
LIMIT = 120
_mtimes = itertools.count(1_600_000_000)


@dataclass(frozen=True)
class Done:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its standard output as JSON."""
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"exit code {self.code}\n{self.out}\n{self.err}"


class Project:
    """A project of a user, with a store beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        (self.folder / "pyproject.toml").touch()
        self.store_path = folder / "store"
        self.env = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "CROSSDOCK_STORE": str(self.store_path),
            "PYTHONPYCACHEPREFIX": str(folder.parent / "bytecode"),
            "NO_COLOR": "1",
        }

    @property
    def store(self) -> Store:
        """The artifact store."""
        return Store.open(self.store_path)

    def write(self, text: str, name: str = "pipe.py") -> None:
        """Write a file; each has a time of its own, by which Python knows old bytecode."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        time_ = next(_mtimes)
        os.utime(path, (time_, time_))

    def start(self, *words: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """Start a program in the project's folder."""
        return subprocess.Popen(
            words, cwd=self.folder, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True,
        )  # fmt: skip

    def command(self, *words: str, env: dict[str, str] | None = None) -> Done:
        """Run a program to its end."""
        return finish(self.start(*words, env=env))

    def crossdock(self, *arguments: str, env: dict[str, str] | None = None) -> Done:
        """Run `crossdock …`."""
        return self.command(CROSSDOCK, *arguments, env=env)

    def run(self, *arguments: str, source: str = "pipe.py", env: dict[str, str] | None = None) -> Done:
        """Run `crossdock run pipe.py … --json`."""
        return self.crossdock("run", source, "--json", *arguments, env=env)

    def states(self, *arguments: str, **options: Any) -> dict[str, str]:
        """Run the pipeline; the state of each task."""
        done = self.run(*arguments, **options)
        assert done.code in (0, 1), str(done)
        return {task: body["state"] for task, body in done.document["tasks"].items()}


def finish(process: subprocess.Popen[str]) -> Done:
    """Wait for a program; one that does not end is killed with its children, and the test fails."""
    try:
        out, err = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"{process.args!r} did not end\n{out}\n{err}") from None
    return Done(process.returncode, out, err)


def wait_for(condition: Any, what: str) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


def lines(path: Path) -> Iterator[str]:
    """The lines of a file that may not be there yet."""
    return iter(path.read_text(encoding="utf-8").splitlines() if path.exists() else ())
