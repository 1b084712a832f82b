"""Writing, compiling and reviewing pipelines needs nothing that Windows does not have."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import CROSSDOCK, Project

from crossdock_runtime import record

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("compiler", "adapters", "runtime")
POSIX_MODULES = {
    "_posixshmem", "_posixsubprocess", "curses", "fcntl", "grp", "nis", "ossaudiodev", "posix", "pty", "pwd",
    "readline", "resource", "spwd", "syslog", "termios", "tty",
}  # fmt: skip
POSIX_NAMES = {
    "os": [
        "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "WNOHANG", "chown", "fork", "forkpty", "getegid",
        "geteuid", "getgid", "getpgid", "getuid", "killpg", "mkfifo", "nice", "posix_spawn", "register_at_fork",
        "sched_getaffinity", "set_blocking", "setsid", "statvfs", "sysconf", "uname", "wait", "waitid",
    ],
    "signal": [
        "SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP", "SIGTSTP", "SIGUSR1",
        "SIGUSR2", "alarm", "pthread_kill", "pthread_sigmask", "setitimer", "sigwait",
    ],
}  # fmt: skip
PIPELINE = """
    from dataclasses import dataclass
    from pathlib import Path

    from crossdock import map, pipeline, step, when


    @dataclass
    class Score:
        name: str
        value: float


    @step
    def names(file: Path) -> list[str]:
        return file.read_text().split()


    @step
    def score(name: str) -> Score:
        \"\"\"Lines of
        a text.\"\"\"
        return Score(name, len(name) / 2)


    @step
    def tell(scores: list[Score]) -> str:
        return ", ".join(item.name for item in scores)


    @pipeline
    def scores(file: Path = Path("data") / "names.txt", loud: bool = False) -> None:
        found = map(score, names(file))
        with when(loud == True):
            tell(found)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    found = Project(tmp_path)
    found.write(PIPELINE)
    return found


def sources() -> list[Path]:
    return [path for root in SOURCES for path in sorted((ROOT / root).rglob("*.py"))]


def imported_at_once(tree: ast.AST) -> Iterator[str]:
    """What a module imports on every system when it is imported: outside of functions, and of `if sys.platform …`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.If) and ast.unparse(node.test).startswith("sys.platform "):
            continue
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from imported_at_once(node)


def test_no_module_imports_what_only_posix_has() -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in sources()
        if (names := set(imported_at_once(ast.parse(path.read_text(encoding="utf-8")))) & POSIX_MODULES)
    }
    assert found == {}


def modules() -> list[str]:
    found = []
    for root in SOURCES:
        for path in sorted((ROOT / root).rglob("*.py")):
            parts = path.relative_to(ROOT / root).with_suffix("").parts
            if parts[:2] != ("crossdock", "testing") and parts[-1] != "__main__":
                found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


WITHOUT_POSIX = f"""
import importlib, os, signal, sys

# The standard library and other people's libraries know how to do without; here they have done their imports before.
import asyncio, click, multiprocessing.connection, networkx, platformdirs, pydantic, rich.live, subprocess, yaml

for name in {sorted(POSIX_MODULES - {"posix", "_posixsubprocess", "fcntl"})!r}:
    sys.modules[name] = None
for module, names in {POSIX_NAMES!r}.items():
    for name in names:
        vars(sys.modules[module]).pop(name, None)
"""


def without_posix(project: Project, code: str) -> str:
    done = project.command(sys.executable, "-c", WITHOUT_POSIX + code)
    assert done.code == 0, str(done)
    return done.out


def test_every_module_can_be_imported_without_what_only_posix_has(project: Project) -> None:
    names = modules()
    assert {"crossdock.cli.main", "crossdock_runtime.isolate", "crossdock.stacks.files"} <= set(names)
    without_posix(project, f"for name in {names!r}: importlib.import_module(name)")


COMMANDS = """
from crossdock.cli.main import run
for words in WORDS:
    code = run(words)
    assert code == 0, (words, code)
"""


def test_a_pipeline_is_compiled_and_reviewed_without_what_only_posix_has(project: Project) -> None:
    words = [
        ["init", "demo", "--yes"],
        ["check", "pipe.py", "--all-targets"],
        ["compile", "pipe.py", "--target", "kubeflow", "-o", "specs"],
        ["export", "pipe.py", "--target", "kubeflow", "-o", "review"],
        ["diff", "pipe.py", "review"],
        ["show", "pipe.py", "-o", "pipe.svg"],
        ["stack", "list"],
        ["doctor"],
        ["runs", "list"],
    ]
    out = without_posix(project, f"WORDS = {words!r}\n{COMMANDS}")
    assert "kubeflow: ok" in out
    assert "the same as in the bundle" in out
    assert (
        project.crossdock("compile", "pipe.py", "--target", "kubeflow").out.encode()
        == (project.folder / "specs" / "pipeline.yaml").read_bytes()
    )


def test_how_lines_end_in_a_source_file_changes_no_plan(project: Project) -> None:
    def compiled() -> str:
        done = project.crossdock("compile", "pipe.py", "--target", "local")
        assert done.code == 0, str(done)
        return json.dumps(json.loads(done.out), sort_keys=True)

    before = compiled()
    file = project.folder / "pipe.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert compiled() == before


def test_a_plan_names_files_with_slashes(project: Project) -> None:
    project.write(PIPELINE, "src/inner/pipe.py")
    out = project.crossdock("compile", "src/inner/pipe.py", "--target", "local").out
    assert "data/names.txt" in out
    assert "\\\\" not in out


@pytest.mark.parametrize("words", [["check", "pipe.py"], ["doctor"], ["run", "pipe.py", "-p", "file=pipe.py"]])
def test_what_is_printed_into_a_file_is_utf_8_whatever_the_locale_says(words: list[str], project: Project) -> None:
    env = {**project.env, "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([CROSSDOCK, *words], cwd=project.folder, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ("✓" in done.stdout.decode("utf-8")) == (words != ["check", "pipe.py"])


def test_a_stream_that_cannot_say_a_character_says_another(project: Project) -> None:
    done = project.crossdock("doctor", env={"PYTHONIOENCODING": "iso8859-1"})
    assert done.code == 0, str(done)
    assert "? default: compiles and runs" in done.out


def test_no_process_of_windows_gets_a_signal_to_see_whether_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *what: sent.append(what))
    assert record.is_alive(os.getpid())
    assert sent == [(os.getpid(), 0)]
    monkeypatch.setattr(sys, "platform", "win32")
    assert record.is_alive(os.getpid())
    assert sent == [(os.getpid(), 0)]
