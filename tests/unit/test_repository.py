"""House rules of the repository, as small programs."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("adapters", "compiler", "runtime")
LONGEST_MODULE = 450

# Spelled in pieces, so that this file does not find itself.
FORBIDDEN = re.compile(
    "|".join(
        [
            r"/wo" r"rk/(main|shared|steering|\.library)",
            r"/ro" r"ot/",
            r"py" r"pi\.org",
            r"python" r"hosted\.org",
            r"registry\.np" r"mjs",
            r"deb\.deb" r"ian\.org",
            r"proxy\.gol" r"ang\.org",
        ]
    )
)
UNFINISHED = re.compile(r"raise NotImplementedError|#\s*(TODO|FIXME|XXX|HACK)\b")


def tracked(*patterns: str) -> list[Path]:
    command = ["git", "ls-files", "-z", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    assert lines_with(FORBIDDEN, tracked()) == []


def test_nothing_that_ships_is_unfinished() -> None:
    assert lines_with(UNFINISHED, tracked(*(f"{root}/*.py" for root in SOURCES))) == []


def test_modules_are_short() -> None:
    modules = tracked(*(f"{root}/*.py" for root in SOURCES))
    long = {str(path.relative_to(ROOT)): len(text_of(path).splitlines()) for path in modules}
    assert {name: length for name, length in long.items() if length > LONGEST_MODULE} == {}


def test_constraints_pin_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    names = {re.split(r"[\s<>=!~;\[]", one, maxsplit=1)[0].lower().replace("_", "-") for one in declared}
    pinned = set(re.findall(r"^([a-z0-9][a-z0-9.-]*)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    assert names - pinned == set()


@pytest.mark.parametrize("package", ["adapters/crossdock_adapters", "compiler/crossdock", "runtime/crossdock_runtime"])
def test_every_package_is_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_the_licence_is_in_full() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
