"""Bad input over the whole command line: what a user reads, that it ends well, and that nothing is left half-written.

Each case of `cases.py` has the exit code and the id that programs rely on; the whole text is in `expected/`, written
again by CROSSDOCK_REGENERATE=1 and read by people in the diff. Pipeline files
have a corpus of their own, tests/unit/trace_errors.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from crossdock.cli.main import run

from .cases import CASES
from .scene import FILES, RUNS, Case, Scene

EXPECTED = Path(__file__).parent / "expected"
REGENERATE = "CROSSDOCK_REGENERATE"
CROSSDOCK = str(Path(sys.executable).with_name("crossdock"))
ID = re.compile(r"^crossdock: .* \[([a-z-]+)\]$", re.MULTILINE)
PLACE = re.compile(r"[\w./<>~ -]+\.(py|yaml):\d+")
READING = (
    "run ",
    "check",
    "runs show",
    "runs list",
    "runs outputs",
    "runs resume",
    "runs explain-cache",
    "stack describe",
)
UNREAD = ("artifacts/value_cut_off", "artifacts/value_gone", "artifacts/value_in_the_record_changed")
"""With --json an output is where it is and what its digest is: its bytes are not read."""


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    scene = Scene(tmp_path_factory.mktemp("template").resolve())
    (scene.top / "home").mkdir()
    for name, text in FILES.items():
        scene.write(name, text)
    for words in RUNS:
        done = _process(scene, words, {})
        assert (done.code == 0) == ("fail=true" not in words), done
    return scene


@pytest.fixture
def scene(template: Scene, tmp_path: Path) -> Scene:
    return Scene(tmp_path.resolve() / "case").copy_of(template)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_the_user_reads(
    case: Case, scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case.prepare(scene)
    before = scene.tree()
    done = _typed(case, scene, shlex.split(case.command), monkeypatch, capsys)
    text = f"$ crossdock {case.command}\n{scene.masked(done.out + done.err)}# exit code {done.code}\n"
    assert "Traceback" not in done.err
    assert "internal-error" not in done.err
    if not case.runs:
        assert ID.findall(done.err.split("\n  hint")[0]) == [case.id], done.err
    assert done.code == case.code
    _compare(case, text)
    _nothing_is_left(case, before, scene.tree())


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.command.startswith(READING) and not case.runs and case.name not in UNREAD],
    ids=lambda case: case.name,
)
def test_what_a_program_reads(
    case: Case, scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case.prepare(scene)
    done = _typed(case, scene, _with_json(case.command), monkeypatch, capsys)
    error = json.loads(done.out)["error"]
    assert list(error) == ["id", "message", "where", "hint", "problems"]
    assert error["id"] == case.id
    assert f"{error['message']} [{case.id}]\n" in done.err or "\n" in error["message"]


def test_the_goldens_are_those_of_the_cases() -> None:
    assert {file.relative_to(EXPECTED).with_suffix("").as_posix() for file in EXPECTED.rglob("*.txt")} == {
        case.name for case in CASES
    }
    assert len({case.name for case in CASES}) == len(CASES) >= 60


def test_every_text_says_what_to_do_next() -> None:
    texts = {case.name: _golden(case).read_text(encoding="utf-8") for case in CASES}
    assert [
        case.name
        for case in CASES
        if case.code and not {"hint: ", "next: "} & set(re.findall("hint: |next: ", texts[case.name]))
    ] == []


def test_what_is_in_a_file_is_told_with_its_line() -> None:
    about_the_whole_file = {
        "empty",
        "list",
        "folder_in_its_place",
        "not_text",
        "remote_with_a_local_store",
        "file_with_a_bad_name",
    }
    for case in CASES:
        group, _, name = case.name.partition("/")
        if group in ("components", "stacks") and case.prepare.__qualname__.startswith("file.") and "active" not in name:
            assert PLACE.search(_golden(case).read_text(encoding="utf-8")) or name in about_the_whole_file, case.name


def _with_json(command: str) -> list[str]:
    words = shlex.split(command)
    at = len(next(word for word in READING if command.startswith(word)).split())
    return [*words[:at], "--json", *words[at:]]


def _typed(
    case: Case, scene: Scene, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Done:
    env = {
        name: text.format(store=scene.store, project=scene.project, top=scene.top) for name, text in case.env.items()
    }
    if case.process:
        return _process(scene, tuple(words), env)
    for name, text in {**scene.environment, **env}.items():
        monkeypatch.setenv(name, text)
    for name in {"CROSSDOCK_DEBUG", "CROSSDOCK_STACK"} - env.keys():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(scene.project)
    code = run(words)
    printed = capsys.readouterr()
    return Done(code, printed.out, printed.err)


def _process(scene: Scene, words: tuple[str, ...], env: dict[str, str]) -> Done:
    outer = {name: text for name, text in os.environ.items() if not name.startswith("CROSSDOCK_")}
    done = subprocess.run(
        [CROSSDOCK, *words], cwd=scene.project, env={**outer, **scene.environment, **env}, capture_output=True,
        text=True, encoding="utf-8", check=False, stdin=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def _golden(case: Case) -> Path:
    return EXPECTED / f"{case.name}.txt"


def _compare(case: Case, text: str) -> None:
    golden = _golden(case)
    if os.environ.get(REGENERATE):
        assert not os.environ.get("CI"), f"{REGENERATE} is for people who read the difference, not for CI"
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def _nothing_is_left(case: Case, before: dict[str, str], after: dict[str, str]) -> None:
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if case.runs:  # the record of the run that failed, whole
        changed = {name for name in changed if not name.startswith("store/") or "/.tmp/" in name}
    assert changed == set()
