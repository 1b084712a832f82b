"""The runtime fetches a plan's code package, holds it to its digest, and unpacks it once."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from crossdock.dsl.errors import StoreError
from crossdock.review.code_package import pack
from crossdock_runtime.code import code_key, fetch_code, is_safe
from crossdock_runtime.store import Store

DIGEST = "0" * 64


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store")


def published(store: Store, folder: Path) -> str:
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "steps.py").write_text("x = 1\r\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    package = pack(folder)
    package.write(folder.parent / "code.zip")
    store.upload(code_key(package.digest), folder.parent / "code.zip")
    return package.digest


def test_it_is_unpacked_once(store: Store, tmp_path: Path) -> None:
    digest = published(store, tmp_path / "project")
    folder = fetch_code(store, digest)
    assert (folder / "pkg" / "steps.py").read_bytes() == (tmp_path / "project" / "pkg" / "steps.py").read_bytes()
    assert (folder / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (folder / "pkg" / "steps.py").stat().st_mode & 0o777 == 0o644
    store.delete([code_key(digest)])
    assert fetch_code(store, digest) == folder
    assert len(list(folder.parent.parent.iterdir())) == 1  # nothing is left of the download


def test_a_folder_of_somebody_else_is_not_trusted(store: Store, tmp_path: Path) -> None:
    digest = published(store, tmp_path / "project")
    folder = fetch_code(store, digest)
    (folder / "pkg" / "steps.py").write_text("x = 'theirs'")
    folder.parent.chmod(0o777)
    again = fetch_code(store, digest)
    assert again != folder
    assert (again / "pkg" / "steps.py").read_text() == "x = 1\n"


def test_a_package_that_is_not_there(store: Store) -> None:
    with pytest.raises(StoreError, match=f"the store has no code package {DIGEST}") as caught:
        fetch_code(store, DIGEST)
    assert "crossdock publish DIR" in str(caught.value)
    assert caught.value.id == "no-code-package"


@pytest.mark.parametrize(
    "name", ["../out.py", "/out.py", "a/../../out.py", "a\\..\\out.py", "C:out.py", "", "a//b", "./a", "a/"]
)
def test_names_that_lead_out_are_refused(store: Store, tmp_path: Path, name: str, temporary: Path) -> None:
    assert not is_safe(name)
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as found:
        found.writestr(zipfile.ZipInfo(name), b"x")
    store.upload(code_key(DIGEST), archive)
    with pytest.raises(StoreError, match="is damaged"):
        fetch_code(store, DIGEST)
    assert list(temporary.iterdir()) == []
    assert not list(tmp_path.rglob("out.py"))


def test_damage_is_named(store: Store, tmp_path: Path, temporary: Path) -> None:
    digest = published(store, tmp_path / "project")
    key = code_key(digest)
    whole = store.read(key)
    changed = whole.replace(b"x = 1", b"x = 2")
    twice = tmp_path / "twice.zip"
    with zipfile.ZipFile(twice, "w") as found:
        found.writestr(zipfile.ZipInfo("a.py"), "1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            found.writestr(zipfile.ZipInfo("a.py"), "2")
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as found:
        found.writestr("a.py", b"0" * 1_000_000)
    for data in (b"", b"no zip", whole[:-30], changed, twice.read_bytes(), bomb.read_bytes()):
        store.replace(key, data)
        with pytest.raises(StoreError, match=f"the code package {digest} in the store is damaged") as caught:
            fetch_code(store, digest)
        assert caught.value.id == "damaged-code-package"
        assert list(temporary.iterdir()) == []


def test_a_plan_without_a_package_pays_nothing() -> None:
    code = "import sys, crossdock_runtime.command; print({'crossdock_runtime.code', 'zipfile'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
