"""Bad input, and what a user reads: each file of `trace_errors/` ends with a command and all that it prints.

The texts are written by hand and read by people; nothing regenerates them. A line `# exit code 1` at the end stands
for a pipeline that is fine in itself, but not for its target; everything else is wrong input, exit code 2.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from crossdock.cli.main import run

CASES = Path(__file__).parent / "trace_errors"
COMMAND = re.compile(r"^# \$ crossdock (?P<command>.*)\n", re.MULTILINE)
CODE = re.compile(r"# exit code (?P<code>\d)\n\Z")
PLACE = re.compile(r"[\w./-]+\.(py|yaml):\d+")


class Case(NamedTuple):
    """A file with something wrong in it."""

    file: Path
    command: list[str]
    expected: str
    code: int


def read(file: Path) -> Case:
    text = file.read_text(encoding="utf-8")
    command = list(COMMAND.finditer(text))[-1]
    comments = text[command.end() :]
    code = CODE.search(comments)
    lines = (comments[: code.start()] if code else comments).splitlines()
    expected = "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines)
    return Case(file, shlex.split(command["command"]), expected, int(code["code"]) if code else 2)


FILES = sorted(CASES.rglob("*.py"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path.resolve() / "project"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("CROSSDOCK_STORE", str(tmp_path / "store"))
    monkeypatch.delenv("CROSSDOCK_DEBUG", raising=False)
    return place


def put(case: Case, folder: Path) -> None:
    """The case's file, without what it is expected to say, and the files that belong to it."""
    for file in case.file.parent.glob(f"{case.file.stem}.*"):
        shutil.copy(file, folder)
    text = case.file.read_text(encoding="utf-8")
    (folder / case.file.name).write_text(text[: list(COMMAND.finditer(text))[-1].start()], encoding="utf-8")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(CASES).with_suffix("").as_posix())
def test_what_the_user_reads(file: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = read(file)
    put(case, folder)
    code = run(case.command)
    printed = "".join(capsys.readouterr()).replace(str(folder), "<folder>").replace(", shell", "").rstrip()
    assert printed == case.expected
    assert code == case.code
    assert not (folder.parent / "store").exists(), "something ran"


def test_every_text_says_where_and_what_to_do_next() -> None:
    silent = [file.name for file in FILES if "hint: " not in read(file).expected]
    assert silent == []
    about_the_command_line = {"bad_value", "choice", "date", "element_of_a_list", "given_twice", "list", "literal"} | {
        "missing", "no_equals_sign", "several_bad_ones", "unknown_name", "yaml_missing", "yaml_no_mapping",
        "artifact_without_a_place", "folder", "missing_file", "missing_module", "no_pipeline", "not_python",
        "step_instead_of_a_pipeline", "two_pipelines", "unknown_pipeline", "unknown_target_to_check",
    }  # fmt: skip
    without = {file.stem for file in FILES if not PLACE.search(read(file).expected)}
    assert without == about_the_command_line


def test_the_program_itself_ends_with_2_and_shows_no_traceback(folder: Path) -> None:
    case = read(CASES / "calls" / "exception_in_the_pipeline.py")
    put(case, folder)
    done = subprocess.run(
        [str(Path(sys.executable).with_name("crossdock")), *case.command], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.rstrip() == case.expected


def test_debug_shows_the_users_own_traceback(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSDOCK_DEBUG", "1")
    case = read(CASES / "calls" / "exception_in_the_pipeline.py")
    put(case, folder)
    with pytest.raises(Exception, match="raised KeyError: 'rate'") as caught:
        run(case.command)
    assert isinstance(caught.value.__cause__, KeyError)
