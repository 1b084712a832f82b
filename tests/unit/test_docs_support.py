"""The support table in the documentation and in README.md is what the code says. Write it again by

CROSSDOCK_REGENERATE=1 python -m pytest tests/unit/test_docs_support.py
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from crossdock import registry
from crossdock.ir import Feature, Level, Rule, Support
from crossdock.review.support_table import WORDS, our_targets, page, table
from crossdock.stacks import ComponentConfig, Orchestrator, Spec

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "support.md"
README = ROOT / "README.md"
MARKED = re.compile(r"(?<=<!-- support -->\n\n).*?(?=\n<!-- /support -->)", re.DOTALL)
REGENERATE = bool(os.environ.get("CROSSDOCK_REGENERATE"))
AGAIN = "CROSSDOCK_REGENERATE=1 python -m pytest tests/unit/test_docs_support.py"


class Half(Orchestrator[ComponentConfig]):
    """Takes half of everything."""

    flavor = "half"
    features: ClassVar[Mapping[Feature, Support]] = {
        **dict.fromkeys(Feature, Support(Level.FULL)),
        Feature.GPU: Support(Level.NEVER, "no cards | none", "buy one"),
        Feature.SPOT: Support(Level.RUNTIME, notice="waits longer"),
    }
    rules = (Rule("no __ in names", lambda plan: ()),)

    def translate(self, plan: object, stack: object = None) -> Spec:
        raise AssertionError("a table translates nothing")


def write(path: Path, text: str) -> None:
    assert not os.environ.get("CI"), "nothing is regenerated where CI is set"
    path.write_text(text, encoding="utf-8", newline="\n")


def test_the_page() -> None:
    found = page(our_targets())
    if REGENERATE:
        write(PAGE, found)
    assert PAGE.read_text(encoding="utf-8") == found, f"to accept: {AGAIN}"


def test_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(MARKED.findall(text)) == 1
    found = MARKED.sub(lambda _: table(our_targets()), text)
    if REGENERATE:
        write(README, found)
    assert README.read_text(encoding="utf-8") == found, f"to accept: {AGAIN}"


def test_every_feature_and_each_of_our_targets_is_there_and_nobody_elses() -> None:
    assert "shell" in registry.flavors("orchestrator")  # the toy is installed, or this test shows nothing
    head, _, *rows = table(our_targets()).splitlines()
    assert head == "| feature | docker | kubeflow | local | vertex |"
    assert [row.split(" | ")[0][2:].replace("\\", "") for row in rows] == [feature.value for feature in Feature]


def test_a_hole_has_its_reason_and_a_note_its_text() -> None:
    lines = page([Half]).splitlines()
    assert "| accelerators | never |" in lines
    assert r"| accelerators | never | no cards \| none | buy one |" in lines
    assert "| spot capacity | runtime |" in lines
    assert "| spot capacity | waits longer |" in lines
    assert "- no \\_\\_ in names" in lines


def test_every_level_has_a_word() -> None:
    assert set(WORDS) == set(Level)


@pytest.mark.parametrize("name", ["test_the_page", "test_the_readme"])
def test_ci_never_writes(name: str, tmp_path: Path) -> None:
    before = (PAGE.read_bytes(), README.read_bytes())
    options = f"-p no:cacheprovider --basetemp={tmp_path}/inner"
    env = {**os.environ, "CI": "true", "CROSSDOCK_REGENERATE": "1", "PYTEST_ADDOPTS": options}
    command = [sys.executable, "-m", "pytest", "-q", f"{__file__}::{name}"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert "nothing is regenerated where CI is set" in done.stdout
    assert (PAGE.read_bytes(), README.read_bytes()) == before
