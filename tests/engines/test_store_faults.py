"""Stores that fail: busy servers, cut connections, lost answers, wrong names and wrong credentials."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import stores
from http_proxy import Fault, Proxy, proxy
from stores import Place

from crossdock.dsl.errors import StoreError
from crossdock_runtime import artifacts, remote_store
from crossdock_runtime.store import Store

SECRETS = (stores.KEYS[1], stores.ACCOUNT_KEY, stores.READER[1], "SECRETSIGNATURE")


class Scene:
    """A store behind a proxy."""

    def __init__(self, place: Place, harm: Proxy) -> None:
        self.harm = harm
        self.store = place.fresh().through(harm.port).open()
        self.truth = place.having(uri=self.store.url).open()


@pytest.fixture(params=["s3_store", "azure_store"])
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    place: Place = request.getfixturevalue(request.param)
    with proxy(place.port) as harm:
        yield Scene(place, harm)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=503),
        Fault(reset=True),
        Fault(status=500, applied=True),
        Fault(status=503, applied=True),
        Fault(reset=True, applied=True),
    ],
    ids=["500", "503", "reset", "500 after", "503 after", "reset after"],
)
def test_a_creation_is_known_as_ones_own(scene: Scene, fault: Fault) -> None:
    """Whatever became of the first two answers: who created the object hears so, and who did not hears that."""
    scene.harm.choose = lambda method, path, number: fault if method == "PUT" and scene.harm.faults < 2 else None
    assert scene.store.create("runs/r/result.json", b"mine")
    assert scene.harm.faults == 2
    assert scene.truth.read("runs/r/result.json") == b"mine"
    scene.harm.faults = 0
    assert not scene.store.create("runs/r/result.json", b"mine")
    assert scene.truth.read("runs/r/result.json") == b"mine"


def test_an_answer_that_takes_too_long(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is applied, the client gives up waiting, and asks again."""
    monkeypatch.setattr("crossdock_runtime.remote_connect.RECORDS", {"connect_timeout": "1s", "timeout": "1s"})
    store = Store.open(scene.store.url, scene.store._options)
    # The server has it at once, the answer comes late.
    late = Fault(reset=True, applied=True, seconds=0)
    slow = Fault(seconds=2.0)
    scene.harm.choose = lambda method, path, number: {1: late, 2: slow}.get(number)
    assert store.create("x", b"mine")
    assert store.read("x") == b"mine"


def test_two_writers_through_bad_weather(scene: Scene) -> None:
    """Of two writers of the same bytes exactly one wins, also when answers get lost."""
    weather = [Fault(reset=True, applied=True), None, Fault(status=503), Fault(status=500, applied=True), None]
    scene.harm.choose = lambda method, path, number: weather[number % 5] if method == "PUT" else None
    other = Store.open(scene.store.url, scene.store._options)
    for turn in range(10):
        wins: list[str] = []

        def write(name: str, store: Store, key: str = f"race/{turn}", wins: list[str] = wins) -> None:
            if store.create(key, b"the same"):
                wins.append(name)

        threads = [threading.Thread(target=write, args=args) for args in (("one", scene.store), ("other", other))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(wins) == 1


@pytest.mark.parametrize("truncate", [0.0, 0.5])
def test_cut_connections(scene: Scene, truncate: float, tmp_path: Path) -> None:
    """Every fourth answer to a reader is cut, every fourth upload too; digests are right in the end."""
    big, small = tmp_path / "big", tmp_path / "small"
    big.write_bytes(os.urandom(30_000_000))
    small.write_bytes(os.urandom(100_000))

    def choose(method: str, path: str, number: int) -> Fault | None:
        if number % 4:
            return None
        return Fault(truncate=truncate) if method == "GET" else Fault(reset=True)

    scene.harm.choose = choose
    for turn in range(2):
        files = {f"data/{turn}/big": big, f"data/{turn}/small": small}
        digests = scene.store.upload_all(files)
        back = {key: tmp_path / f"{path.name}.back" for key, path in files.items()}
        found = dict(scene.store.download_all(back, {key: path.stat().st_size for key, path in files.items()}))
        assert found == digests
        for path in (big, small):
            assert (
                hashlib.sha256(Path(f"{path}.back").read_bytes()).digest() == hashlib.sha256(path.read_bytes()).digest()
            )
    assert scene.harm.faults > 3
    for number in range(20):
        scene.store.create(f"list/{number:02d}", b"x")
    assert len(list(scene.store.keys("list"))) == 20


def test_a_store_that_stays_out_of_order(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_store, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr(remote_store, "LATER_SECONDS", 2.0)
    scene.harm.choose = lambda method, path, number: Fault(status=503)
    began = time.monotonic()
    with pytest.raises(StoreError) as caught:
        scene.store.create("x", b"")
    assert time.monotonic() - began < 10
    assert caught.value.id == "store-unreachable"
    assert "503" in caught.value.message
    assert not scene.truth.exists("x")


def test_damage_on_the_way_is_seen(scene: Scene, tmp_path: Path) -> None:
    manifest = artifacts.save(scene.store, b"x" * 100_000, "data/a")
    scene.truth.replace("data/a/data.bin", b"y" * 100_000)
    with pytest.raises(artifacts.ArtifactCorrupt, match=r"data/a/data\.bin in (s3|az)://crossdock/t-"):
        artifacts.load(scene.store, manifest)


def refused(place: Place) -> StoreError:
    """What a place that cannot be used says, to a reader and to a writer alike."""
    found = []
    for act in (lambda store: store.read("a"), lambda store: store.create("a", b""), lambda store: list(store.keys())):
        with pytest.raises(StoreError) as caught:
            act(place.open())
        found.append(caught.value)
    assert len({error.id for error in found}) == 1, found
    for error in found:
        assert error.exit_code == 3
        assert error.hint
        assert "\n" not in error.message
        assert len(error.message) < 500
        assert not any(secret in str(error) for secret in SECRETS)
    return found[0]


def test_a_wrong_bucket(moto_store: Place, s3_store: Place, azure_store: Place) -> None:
    for place, uri in (
        (moto_store, "s3://nosuchbucket/x"), (s3_store, "s3://nosuchbucket/x"), (azure_store, "az://nosuch/x"),
    ):  # fmt: skip
        error = refused(place.having(uri=uri))
        assert error.id == "no-such-bucket"
        assert "does not exist" in error.message
        assert "nosuch" in (error.hint or "")


def test_wrong_credentials(s3_store: Place, azure_store: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"TEST_S3_SECRET": "wrong", "TEST_AZURE_KEY": "d3Jvbmc="}
    for place in (s3_store, azure_store):
        bad = Place(
            place.flavor, place.fresh().config, {**place.env, **{k: v for k, v in wrong.items() if k in place.env}}
        )
        error = refused(bad)
        assert error.id == "store-credentials"
    unknown = Place("s3", s3_store.fresh().config, {**s3_store.env, "TEST_S3_ID": "AKIANOBODY"})
    assert "InvalidAccessKeyId" in refused(unknown).message


def test_no_permission(s3_store: Place) -> None:
    reader = Place("s3", s3_store.fresh().config, {"TEST_S3_ID": stores.READER[0], "TEST_S3_SECRET": stores.READER[1]})
    store = reader.open()
    assert list(store.keys()) == []
    with pytest.raises(StoreError, match="AccessDenied") as caught:
        store.create("a", b"")
    assert caught.value.id == "store-denied"
    assert "s3:PutObject" in (caught.value.hint or "")


def test_an_expired_signature(azure_store: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {name: value for name, value in azure_store.fresh().config.items() if name != "account_key"}
    signed = "sv=2021-08-06&se=2020-01-01T00:00:00Z&sr=c&sp=rwl&sig=SECRETSIGNATURE"
    place = Place("azure", {**config, "sas_token": {"env": "TEST_SAS"}}, {"TEST_SAS": signed})
    error = refused(place)
    assert error.id == "store-credentials"
    assert "az login" in (error.hint or "")


@pytest.mark.parametrize("code", ["ExpiredToken", "PermanentRedirect"])
def test_what_amazon_alone_says(code: str, s3_store: Place) -> None:
    """Answers as in https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, which no server here gives."""
    status = {"ExpiredToken": 400, "PermanentRedirect": 301}[code]
    with proxy(s3_store.port) as harm:
        harm.choose = lambda method, path, number: Fault(status=status, code=code)
        error = refused(s3_store.fresh().through(harm.port))
    assert error.id == {"ExpiredToken": "store-credentials", "PermanentRedirect": "store-region"}[code]


def test_an_endpoint_where_nobody_listens(s3_store: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    with pytest.raises(StoreError, match=r"cannot read a in s3://") as caught:
        s3_store.fresh().having(endpoint=f"http://127.0.0.1:{stores.free_port()}").open().read("a")
    assert time.monotonic() - began < 20
    assert caught.value.id == "store-unreachable"
    assert "refused" in caught.value.message


def test_an_endpoint_that_never_answers(s3_store: Place) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        began = time.monotonic()
        with pytest.raises(StoreError) as caught:
            s3_store.fresh().having(endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}").open().read("a")
    assert time.monotonic() - began < 25
    assert caught.value.id == "store-unreachable"


def test_no_credentials_at_all(s3_store: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "AZURE_", "GOOGLE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, but nobody listens: the machine's metadata service is not there
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        config = {k: v for k, v in s3_store.fresh().config.items() if k not in ("access_key_id", "secret_access_key")}
        began = time.monotonic()
        with pytest.raises(StoreError) as caught:
            Place("s3", config).open().read("a")
    assert time.monotonic() - began < 20
    assert caught.value.id == "store-credentials"
    assert "AWS_ACCESS_KEY_ID" in (caught.value.hint or "")
