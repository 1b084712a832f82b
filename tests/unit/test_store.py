from __future__ import annotations

import os
import pickle
import threading
import uuid
from pathlib import Path

import pytest

from crossdock.dsl.errors import BadInput, StoreError
from crossdock_runtime.store import Store, StoreKeyMissing


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store.open(tmp_path / "a store" if request.param == "local" else f"memory:///{uuid.uuid4()}")


def test_create_is_once(store: Store) -> None:
    assert store.create("runs/r/result.json", b"one")
    assert not store.create("runs/r/result.json", b"two")
    assert store.read("runs/r/result.json") == b"one"
    assert store.exists("runs/r/result.json")


def test_replace_overwrites(store: Store) -> None:
    store.replace("runs/r/heartbeat.json", b"one")
    store.replace("runs/r/heartbeat.json", b"")
    assert store.read("runs/r/heartbeat.json") == b""


def test_of_many_writers_one_wins(store: Store) -> None:
    for turn in range(20):
        wins: list[int] = []
        barrier = threading.Barrier(8)

        def write(
            me: int, key: str = f"race/{turn}/x", barrier: threading.Barrier = barrier, wins: list[int] = wins
        ) -> None:
            barrier.wait()
            if store.create(key, str(me).encode() * 1000):
                wins.append(me)

        threads = [threading.Thread(target=write, args=(me,)) for me in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(wins) == 1
        assert store.read(f"race/{turn}/x") == str(wins[0]).encode() * 1000


def test_creating_while_folders_are_deleted(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    stop = threading.Event()

    def delete() -> None:
        while not stop.is_set():
            store.delete(["a/b/c/gone"])
            store.delete(f"a/b/c/{n}" for n in range(0, 400, 2))

    thread = threading.Thread(target=delete)
    thread.start()
    try:
        for n in range(400):
            assert store.create(f"a/b/c/{n}", b"x")
    finally:
        stop.set()
        thread.join()
    assert {f"a/b/c/{n}" for n in range(1, 400, 2)} <= set(store.keys())


def test_missing_keys(store: Store, tmp_path: Path) -> None:
    assert store.try_read("no/thing") is None
    assert not store.exists("no/thing")
    with pytest.raises(StoreKeyMissing, match="no/thing") as caught:
        store.read("no/thing")
    assert store.url in str(caught.value)
    assert caught.value.hint
    with pytest.raises(StoreKeyMissing):
        store.download("no/thing", tmp_path / "x")
    store.create("file", b"")
    assert store.try_read("file/below") is None
    assert list(store.keys("nowhere")) == []
    assert store.children("nowhere") == ([], [])
    store.delete(["no/thing", "file", "nor/this"])
    assert not store.exists("file")


KEYS = ["a/b.txt", "a/b/c", "a/b/d/e", "a/b0", "a-b", "ab", "b/é (1) #%20.csv"]


def test_listing_is_in_the_order_of_the_text(store: Store) -> None:
    for key in reversed(KEYS):
        assert store.create(key, b"x")
    assert list(store.keys()) == sorted(KEYS)
    assert list(store.keys("a")) == ["a/b.txt", "a/b/c", "a/b/d/e", "a/b0"]
    assert list(store.keys("a/b/")) == ["a/b/c", "a/b/d/e"]
    for start in [*KEYS, "a", "a/b", "a/b/", "a/b/d", "zz"]:
        assert list(store.keys(start_after=start)) == [key for key in sorted(KEYS) if key > start]
    assert store.children() == (["a", "b"], ["a-b", "ab"])
    assert store.children("a") == (["b"], ["b.txt", "b0"])
    assert store.read(KEYS[-1]) == b"x"


def test_deleting_prunes_folders(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "s")
    store.create("a/b/c", b"")
    store.create("a/d", b"")
    store.delete(["a/b/c"])
    assert store.children("a") == ([], ["d"])
    store.delete(["a/d"])
    assert store.children() == ([], [])
    assert (tmp_path / "s").is_dir()


def test_files_go_up_and_down(store: Store, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    data = os.urandom(20_000_000)
    source.write_bytes(data)
    store.upload("data/x/big.bin", source)
    store.download("data/x/big.bin", target)
    assert target.read_bytes() == data
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["in", "out"]
    with pytest.raises(StoreError):
        store.upload("data/x/none", tmp_path / "absent")


def test_local_paths(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a b")
    assert store.local_root == tmp_path / "a b"
    assert not store.local_root.exists(), "made by the first write only"
    assert store.url == (tmp_path / "a b").as_uri()
    assert Store.open(store.url).local_root == store.local_root
    assert store.local_path("x/y") == tmp_path / "a b" / "x" / "y"
    store.create("x/y", b"1")
    assert (tmp_path / "a b" / "x" / "y").read_bytes() == b"1"
    assert list((tmp_path / "a b" / ".tmp").iterdir()) == []


def test_a_memory_store_has_no_paths_and_is_shared_by_url() -> None:
    url = f"memory:///{uuid.uuid4()}"
    store = Store.open(url)
    assert store.local_root is None
    assert store.local_path("x") is None
    store.create("x", b"1")
    assert Store.open(url).read("x") == b"1"


def test_a_store_travels_to_another_process(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.create("x", b"1")
    assert pickle.loads(pickle.dumps(store)).read("x") == b"1"


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\0b", "a\\b", ".tmp/x"])
def test_keys_stay_inside_the_store(store: Store, key: str) -> None:
    for act in (store.read, store.exists, store.local_path, lambda key: store.create(key, b"")):
        if act == store.local_path and store.local_root is None:
            continue
        with pytest.raises(BadInput):
            act(key)


@pytest.mark.parametrize("url", ["foo://bucket/x", "file://host/x"])
def test_urls_that_cannot_be_opened(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open(url)
    assert url in caught.value.message
    assert caught.value.hint


def test_options_that_obstore_does_not_know() -> None:
    with pytest.raises(StoreError, match="bogus"):
        Store.open("s3://bucket/x", {"bogus": "1"})


def test_a_bucket_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossdock_runtime.remote_store.FIRST_SECONDS", 0.5)
    options = {
        "endpoint": "http://127.0.0.1:9",
        "access_key_id": "x",
        "secret_access_key": "x",
        "retry_config": {"max_retries": 0},
        "client_options": {"allow_http": True},
    }
    with pytest.raises(StoreError, match="cannot read a/b in s3://bucket/x") as caught:
        Store.open("s3://bucket/x", options).read("a/b")
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot create a/b") as caught:
        Store.open(tmp_path / "file").create("a/b", b"")
    assert caught.value.hint
