"""The documentation holds what there is: public names, commands, targets, pages."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import crossdock
from crossdock.cli.main import COMMANDS
from crossdock.review.support_table import our_targets
from crossdock.stacks.definitions import COMPONENT_TYPES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<place>[^)#\s]+)(?:#[^)]*)?\)")


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def documented() -> set[str]:
    """Last parts of the names that the reference shows."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in REFERENCE.glob("*.md"))
    return {name.rpartition(".")[2] for name in re.findall(r"^::: (\S+)", text, re.MULTILINE)}


def test_every_name_of_the_face_is_in_the_reference() -> None:
    assert set(crossdock.__all__) - documented() - {"__version__"} == set()


def test_every_command_is_on_its_page() -> None:
    text = "\n".join(loaded(REFERENCE / "command_line.py").commands())
    same = {type_.replace("_", "-") for type_ in COMPONENT_TYPES} - {"orchestrator"}
    for name in COMMANDS:
        assert f"## crossdock {name}\n" in text or name in same, name
    assert "### crossdock runs list\n" in text
    assert re.search(r"^\| `--max-workers INTEGER.*` \| Tasks at once", text, re.MULTILINE)


def test_the_page_of_the_commands_has_a_place_for_them() -> None:
    hook = loaded(REFERENCE / "command_line.py")
    page = type("Page", (), {"file": type("File", (), {"src_uri": hook.PAGE})})
    found = hook.on_page_markdown((DOCS / hook.PAGE).read_text(), page)
    assert "## crossdock run\n" in found
    with pytest.raises(ValueError, match="has no"):
        hook.on_page_markdown("nothing", page)


def test_each_of_our_targets_has_a_page() -> None:
    assert {target.flavor for target in our_targets()} == {page.stem for page in (DOCS / "targets").glob("*.md")}


def pages(nav: Any) -> Iterator[str]:
    for item in nav:
        for value in item.values():
            yield from [value] if isinstance(value, str) else pages(value)


def test_every_page_is_in_the_navigation() -> None:
    nav = list(pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]))
    assert len(nav) == len(set(nav))
    assert set(nav) == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}


@pytest.mark.parametrize("page", ["README.md", "examples/README.md", "benchmarks/README.md", "CHANGELOG.md"])
def test_links_of_pages_outside_of_the_site(page: str) -> None:
    places = [found["place"] for found in LINK.finditer((ROOT / page).read_text(encoding="utf-8"))]
    inside = [place for place in places if "://" not in place]
    assert [place for place in inside if not ((ROOT / page).parent / place).exists()] == []


def test_pictures_are_text_that_fetches_nothing() -> None:
    for picture in (DOCS / "pictures").iterdir():
        text = picture.read_text(encoding="utf-8")
        assert re.findall(r"""(?:href|src)=["']https?:|<script|@import|<image""", text) == [], picture
        assert "aria-label=" in text, picture
