"""The kit's pipelines as a user's project: plain modules in a folder of their own."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from crossdock.passes.load import Loaded, load
from crossdock.testing.case import Case
from crossdock.testing.cases import CASES

PIPELINES = Path(__file__).parent / "pipelines"


def write(folder: Path) -> Path:
    """Put the pipelines into a folder, which becomes a project."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(PIPELINES.glob("conformance_*.py")):
        shutil.copy(file, folder / file.name)
    (folder / "pyproject.toml").write_text('[project]\nname = "conformance"\nversion = "1"\n', encoding="utf-8")
    return folder


@functools.cache
def shared() -> Path:
    """The project of this process, gone when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="crossdock-conformance-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return write(folder.resolve() / "project")


def source_of(case: Case, project: Path) -> str:
    """SOURCE of a case's pipeline."""
    module, _, name = case.source.partition(":")
    return f"{project / module}.py:{name}"


@functools.cache
def loaded() -> Mapping[str, Loaded]:
    """Every case's pipeline by the case's name, compiled once in this process."""
    folder = shared()
    return {case.name: load(source_of(case, folder)) for case in CASES}
