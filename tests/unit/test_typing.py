"""What users write types: mypy --strict over the examples, a file that it accepts, and one that it refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from crossdock.passes.load import load

ROOT = Path(__file__).resolve().parents[2]
TYPED = Path(__file__).parent / "typed"
SOURCES = ":".join(str(ROOT / name) for name in ("compiler", "runtime", "adapters"))
CONFIG = f"""\
[mypy]
strict = true
mypy_path = {SOURCES}
explicit_package_bases = true
follow_imports_for_stubs = true

[mypy-joblib.*,pandas.*,sklearn.*]
ignore_missing_imports = true
"""
SAID = re.compile(r"^(?P<file>.+?):(?P<line>\d+): error: .*\[(?P<code>[\w-]+)\]$", re.MULTILINE)
EXPECTED = re.compile(r"# error: (?P<codes>.+)$")


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[int, set[str]]]:
    """The codes of all errors, by file and line."""
    folder = tmp_path_factory.mktemp("mypy")
    config = folder / "mypy.ini"
    config.write_text(CONFIG, encoding="utf-8")
    files = [*sorted(TYPED.glob("*.py")), *sorted((ROOT / "examples").glob("*/pipeline.py"))]
    command = [sys.executable, "-m", "mypy", "--config-file", str(config), "--cache-dir", str(folder / "cache")]
    done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for item in SAID.finditer(done.stdout):
        found[str((ROOT / item["file"]).relative_to(ROOT))][int(item["line"])].add(item["code"])
    return found


def test_what_is_right_types(said: dict[str, dict[int, set[str]]]) -> None:
    refused = (TYPED / "refused.py").relative_to(ROOT).as_posix()
    assert {file: dict(lines) for file, lines in said.items() if file != refused} == {}


def test_what_is_right_also_traces() -> None:
    plan = load(f"{TYPED / 'accepted.py'}:everything").plan
    assert {"cut", "fit-2", "cell", "count", "tell"} <= set(plan.by_id)
    assert plan.by_id["cut"].after == ("prepare",)


def test_what_is_wrong_is_refused_at_its_line(said: dict[str, dict[int, set[str]]]) -> None:
    file = TYPED / "refused.py"
    expected = {
        number: set(found["codes"].split())
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if (found := EXPECTED.search(line))
    }
    assert len(expected) > 12
    assert dict(said[file.relative_to(ROOT).as_posix()]) == expected
