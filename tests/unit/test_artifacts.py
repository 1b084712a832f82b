from __future__ import annotations

import errno
import json
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossdock.dsl.errors import StoreError
from crossdock_runtime.artifacts import (
    ABSENT,
    INLINE_LIMIT,
    ArtifactCorrupt,
    Manifest,
    Member,
    load,
    read_inline,
    save,
)
from crossdock_runtime.materializers.base import MaterializerError
from crossdock_runtime.store import Store
from crossdock_runtime.values import digest, value_digest

PRODUCER = {"run": "r", "task": "t", "index": [], "attempt": 1, "output": "out"}


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store.open(tmp_path / "store" if request.param == "local" else f"memory:///{uuid.uuid4()}")


class Witness:
    """Unpickling it is noticed."""

    seen = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return _witness, ()


def _witness() -> Witness:
    Witness.seen += 1
    return Witness()


def test_a_small_value_is_inline(store: Store) -> None:
    manifest = save(store, None, "data/x", type_name="NoneType", producer=PRODUCER)
    assert manifest.to_json() == {
        "value": None,
        "digest": value_digest(None),
        "size": 4,
        "type": "NoneType",
        "materializer": "value@1",
        "producer": PRODUCER,
    }
    assert list(store.keys()) == []
    assert load(store, manifest) is None
    assert read_inline(manifest) is None
    assert Manifest.from_json(manifest.to_json()) == manifest


def test_a_large_value_is_one_file(store: Store) -> None:
    for length, inline in ((INLINE_LIMIT - 2, True), (INLINE_LIMIT - 1, False)):
        text = "x" * length
        manifest = save(store, text, f"data/{length}", producer=PRODUCER)
        assert (manifest.value is not ABSENT, manifest.uri is None) == (inline, inline)
        assert manifest.digest == value_digest(text)
        assert load(store, manifest) == text
        assert read_inline(manifest, store) == text
    assert manifest.members == (Member("value.json", manifest.digest, length + 2),)
    with pytest.raises(StoreError, match="not a value in its manifest"):
        read_inline(manifest)


def test_files_have_the_digest_of_their_list(store: Store) -> None:
    manifest = save(store, b"abc", "data/r/t/1/out", producer=PRODUCER)
    member = {"path": "data.bin", "digest": digest(b"abc"), "size": 3}
    assert manifest.to_json() == {
        "uri": "data/r/t/1/out",
        "digest": value_digest([["data.bin", digest(b"abc"), 3]]),
        "size": 3,
        "type": "bytes",
        "materializer": "bytes@1",
        "producer": PRODUCER,
        "members": [member],
    }
    assert Manifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest


def test_tombstones(store: Store) -> None:
    manifest = Manifest.tombstone(PRODUCER)
    assert manifest.to_json() == {"skipped": True, "producer": PRODUCER}
    assert Manifest.from_json(manifest.to_json()) == manifest
    with pytest.raises(StoreError, match="was skipped"):
        load(store, manifest)


@pytest.mark.parametrize("damage", [b"damaged", b"ABC", None])
def test_damaged_bytes_are_found_before_use(store: Store, damage: bytes | None) -> None:
    manifest = save(store, b"abc", "data/x")
    if damage is None:
        store.delete(["data/x/data.bin"])
    else:
        store.replace("data/x/data.bin", damage)
    with pytest.raises(ArtifactCorrupt) as caught:
        load(store, manifest)
    text = str(caught.value)
    assert "data/x/data.bin" in text
    assert digest(b"abc") in text
    assert (digest(damage) if damage else "is missing") in text
    assert caught.value.hint
    assert caught.value.exit_code == 3


def test_a_pickle_is_not_opened_unless_it_is_what_was_written(store: Store) -> None:
    manifest = save(store, Witness(), "data/x")
    assert manifest.materializer == "pickle@1"
    Witness.seen = 0
    load(store, manifest)
    assert Witness.seen == 1
    store.replace("data/x/data.pickle", store.read("data/x/data.pickle") + b" ")
    with pytest.raises(ArtifactCorrupt):
        load(store, manifest)
    assert Witness.seen == 1


def test_a_manifest_with_changed_members_is_refused(store: Store) -> None:
    manifest = save(store, Witness(), "data/x")
    store.replace("data/x/data.pickle", b"other")
    forged = replace(manifest, members=(Member("data.pickle", digest(b"other"), 5),))
    with pytest.raises(ArtifactCorrupt):
        load(store, forged)


def test_damaged_values(store: Store) -> None:
    manifest = save(store, [1], "data/x")
    for read in (lambda m: load(store, m), read_inline):
        with pytest.raises(ArtifactCorrupt):
            read(replace(manifest, value=[2]))
    big = save(store, "x" * 50_000, "data/y")
    store.replace("data/y/value.json", b'"x"')
    with pytest.raises(ArtifactCorrupt):
        load(store, big)
    store.delete(["data/y/value.json"])
    with pytest.raises(ArtifactCorrupt, match="is missing"):
        load(store, big)


def test_files_that_nobody_vouched_for(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    manifest = save(store, b"abc", "data/x")
    store.create("data/x/planted.bin", b"")
    with pytest.raises(ArtifactCorrupt, match=r"planted\.bin"):
        load(store, manifest)


def test_data_is_never_overwritten(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    for value in (b"abc", "x" * 50_000):
        key = f"data/{type(value).__name__}"
        manifest = save(store, value, key)
        with pytest.raises(StoreError, match="never overwritten"):
            save(store, value, key)
        assert load(store, manifest) == value


def test_a_path_is_a_copy_outside_of_the_store(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("x")
    manifest = save(store, source, "data/x")
    first, second = load(store, manifest), load(store, manifest, scratch=tmp_path / "scratch")
    assert first != second
    assert tmp_path / "scratch" in second.parents
    for path in (first, second):
        assert path.read_text() == "x"
        assert store.local_root is None or store.local_root not in path.parents
    store.replace("data/x/in.txt", b"y")
    with pytest.raises(ArtifactCorrupt):
        load(store, manifest, scratch=tmp_path / "scratch")
    assert [path for path in (tmp_path / "scratch").iterdir() if path != second.parent] == []


def test_temporary_copies_are_removed(tmp_path: Path) -> None:
    store = Store.open(f"memory:///{uuid.uuid4()}")
    manifest = save(store, b"abc", "data/x")
    assert load(store, manifest, scratch=tmp_path / "scratch") == b"abc"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_moved_store_still_reads(tmp_path: Path) -> None:
    manifest = save(Store.open(tmp_path / "a"), b"abc", "data/x")
    (tmp_path / "a").rename(tmp_path / "b")
    assert load(Store.open(tmp_path / "b"), manifest) == b"abc"


def test_an_absolute_uri_is_read_where_it_is(store: Store, tmp_path: Path) -> None:
    elsewhere = Store.open(tmp_path / "elsewhere")
    manifest = save(elsewhere, b"abc", "data/x")
    absolute = replace(manifest, uri=f"{elsewhere.url}/data/x")
    assert load(store, absolute) == b"abc"
    elsewhere.replace("data/x/data.bin", b"ABC")
    with pytest.raises(ArtifactCorrupt):
        load(store, absolute)


def test_a_newer_materializer(store: Store) -> None:
    manifest = replace(save(store, b"abc", "data/x"), materializer="bytes@9")
    with pytest.raises(MaterializerError, match="only version 1 is here"):
        load(store, manifest)


@pytest.mark.parametrize("path", ["../x", "/x", "a/../x", "", "a//b", "a\\b"])
def test_members_stay_inside(path: str) -> None:
    member = {"path": path, "digest": "sha256:0", "size": 0}
    data = {
        "uri": "data/x",
        "digest": "",
        "size": 0,
        "type": "bytes",
        "materializer": "bytes@1",
        "members": [member],
    }
    with pytest.raises(ArtifactCorrupt, match="leads out of the artifact"):
        Manifest.from_json(data)


def test_a_malformed_manifest() -> None:
    with pytest.raises(ArtifactCorrupt, match="malformed manifest: KeyError 'digest'"):
        Manifest.from_json({"uri": "data/x"})


def test_a_full_disk_is_the_stores_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("crossdock_runtime.materializers.bytes_str.BytesMaterializer.save", full)
    with pytest.raises(StoreError, match="No space left") as caught:
        save(Store.open(tmp_path), b"abc", "data/x")
    assert caught.value.hint
    assert not (tmp_path / "data" / "x").exists()
