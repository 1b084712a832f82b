"""Configuration of the artifact stores in buckets: what it takes, what tasks are told, whose credentials are used."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from crossdock import registry
from crossdock.client import Client
from crossdock.dsl.errors import BadInput, StoreError
from crossdock.stacks import ArtifactStore
from crossdock_runtime import remote_connect
from crossdock_runtime.options import take_store_options
from crossdock_runtime.store import Store

S3 = {"uri": "s3://bucket/a/b"}
GCS = {"uri": "gs://bucket/a"}
AZURE = {"uri": "az://container/a", "account": "acme"}
HERE = {"access_key_id": {"env": "MY_ID"}, "secret_access_key": {"env": "MY_SECRET"}}
THERE = {"access_key_id": {"kubernetes": "s3/id"}, "secret_access_key": {"kubernetes": "s3/secret"}}


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("AWS_", "AZURE_", "GOOGLE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def made(flavor: str, **config: Any) -> ArtifactStore[Any]:
    kind = registry.flavor("artifact_store", flavor)
    found: ArtifactStore[Any] = kind("store", kind.Config(**config))
    return found


@pytest.mark.parametrize(
    ("flavor", "config", "says"),
    [
        ("s3", {"uri": "gs://bucket"}, "s3://bucket/prefix"),
        ("s3", {"uri": "s3://"}, "s3://bucket/prefix"),
        ("s3", {"uri": "s3://Upper"}, "name that the vendor takes"),
        ("s3", {"uri": "s3://bucket/a//b"}, "single slashes"),
        ("s3", {"uri": "s3://bucket/../b"}, "single slashes"),
        ("s3", {"uri": "s3://id:secret@bucket"}, "no user"),
        ("s3", {"uri": "s3://bucket/a?X-Amz-Signature=1"}, "no query"),
        ("s3", {**S3, "endpoint": "minio:9000"}, "takes https://host"),
        ("s3", {**S3, "endpoint": "http://minio:9000"}, "allow_http"),
        ("s3", {**S3, "endpoint": "https://id:secret@minio"}, "without user"),
        ("s3", {**S3, "container_endpoint": "http://minio:9000"}, "allow_http"),
        ("s3", {**S3, "access_key_id": {"env": "MY_ID"}}, "given both, or neither"),
        ("s3", {**S3, "secret_access_key": {"env": "MY_SECRET"}}, "given both, or neither"),
        ("s3", {**S3, "session_token": {"env": "MY_TOKEN"}}, "needs access_key_id"),
        ("s3", {**S3, "access_key_id": "AKIAEXAMPLE", "secret_access_key": "x"}, "reference to a secret"),
        ("s3", {**S3, "regoin": "x"}, "Extra inputs"),
        ("gcs", {"uri": "s3://bucket"}, "gs://bucket/prefix"),
        ("azure", {"uri": "az://container"}, "the storage account"),
        ("azure", {"uri": "az://a--b", "account": "acme"}, "name that the vendor takes"),
        ("azure", {**AZURE, "account": "Acme!"}, "small letters"),
        ("azure", {**AZURE, "client_secret": {"env": "MY_SECRET"}}, "needs client_id and tenant_id"),
    ],
)
def test_what_a_configuration_refuses(flavor: str, config: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        made(flavor, **config)


def test_urls() -> None:
    assert made("s3", uri="s3://bucket/").url == "s3://bucket"
    assert made("gcs", uri="gs://my_bucket/a/").url == "gs://my_bucket/a"
    assert made("azure", **AZURE).url == "az://container/a"
    long = made("azure", uri="abfss://container@acme.dfs.core.windows.net/a")
    assert long.url == "abfs://container/a"
    assert long.options == {"account_name": "acme"}
    assert made("azure", uri="abfs://container/a", account="acme").url == "abfs://container/a"


def test_what_a_container_is_told() -> None:
    store = made(
        "s3", **S3, **HERE, region="eu-central-1", allow_http=True, endpoint="http://127.0.0.1:9000",
        container_endpoint="http://minio:9000/", profile="dev",
    )  # fmt: skip
    assert store.options == {"allow_http": "true", "endpoint": "http://minio:9000", "region": "eu-central-1"}
    assert {name: item.reference for name, item in store.secrets.items()} == {
        "access_key_id": "MY_ID", "secret_access_key": "MY_SECRET",
    }  # fmt: skip
    assert made("gcs", **GCS, anonymous=True).options == {"skip_signature": "true"}
    assert made("gcs", **GCS, anonymous=True).credentials() == {}


def test_references_are_resolved_here(monkeypatch: pytest.MonkeyPatch) -> None:
    store = made("s3", **S3, **HERE)
    with pytest.raises(BadInput, match="access_key_id is not in the environment"):
        store.credentials()
    with pytest.raises(BadInput, match=r"store\.access_key_id is not in the environment"):
        store.open()
    monkeypatch.setenv("MY_ID", "AKIA")
    monkeypatch.setenv("MY_SECRET", "sesame")
    assert store.credentials() == {"access_key_id": "AKIA", "secret_access_key": "sesame"}
    assert isinstance(store.open(), Store)


def test_the_default_chain_of_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no AWS credentials were found") as caught:
        made("s3", **S3).credentials()
    assert caught.value.hint
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text("[dev]\naws_access_key_id = AKIADEV\naws_secret_access_key = of-dev\n")
    (folder / "config").write_text("[profile dev]\nregion = eu-west-3\n")
    assert made("s3", **S3, profile="dev").credentials() == {
        "access_key_id": "AKIADEV", "secret_access_key": "of-dev", "region": "eu-west-3",
    }  # fmt: skip
    assert made("s3", **S3, profile="dev", region="eu-west-1").credentials() == {
        "access_key_id": "AKIADEV", "secret_access_key": "of-dev",
    }  # fmt: skip
    assert isinstance(made("s3", **S3, profile="dev").open(), Store)
    with pytest.raises(StoreError, match="nobody") as refused:
        made("s3", **S3, profile="nobody").open()
    assert refused.value.id == "store-credentials"
    for name, value in {"ID": "AKIAENV", "SECRET": "of-env"}.items():
        monkeypatch.setenv({"ID": "AWS_ACCESS_KEY_ID", "SECRET": "AWS_SECRET_ACCESS_KEY"}[name], value)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "tok")
    assert made("s3", **S3).credentials() == {
        "access_key_id": "AKIAENV", "secret_access_key": "of-env", "session_token": "tok",
    }  # fmt: skip


def test_the_default_chains_of_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text(json.dumps({"type": "service_account", "client_email": "a@b"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key))
    assert made("gcs", **GCS).credentials() == {"service_account_key": key.read_text()}
    monkeypatch.setenv("AZURE_CLIENT_ID", "i")
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "s")
    monkeypatch.setenv("AZURE_TENANT_ID", "t")
    assert made("azure", **AZURE).credentials() == {"client_id": "i", "client_secret": "s", "tenant_id": "t"}
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "k")
    assert made("azure", **AZURE).credentials() == {"account_key": "k"}


def test_given_credentials_are_not_mixed_with_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of another key")
    config = {"access_key_id": "AKIA", "secret_access_key": "sesame"}
    provider = remote_connect._provider("s3", config)
    assert provider is not None
    assert provider() == {"access_key_id": "AKIA", "secret_access_key": "sesame", "token": None, "expires_at": None}
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", "sig=1")
    config = {"account_name": "acme", "account_key": "a2V5"}
    assert remote_connect._provider("az", config) is None
    assert config["credential_type"] == "access_key"


def test_a_profile_without_its_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(remote_connect, "_installed", lambda name: False)
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").touch()
    with pytest.raises(StoreError, match="boto3 only") as caught:
        Store.open("s3://bucket/x")
    assert (caught.value.id, caught.value.hint) == ("missing-library", "pip install 'crossdock[aws]'")


def test_http_only_where_it_is_allowed() -> None:
    with pytest.raises(StoreError, match="has no TLS"):
        Store.open("s3://bucket/x", {"endpoint": "http://127.0.0.1:1", "access_key_id": "a", "secret_access_key": "b"})


def test_a_store_elsewhere_has_the_options_of_its_vendor() -> None:
    options = {"region": "eu-west-1", "access_key_id": "a", "secret_access_key": "b"}
    store = Store.open("s3://bucket/x", options)
    assert store.at("s3://other/y")._options == options
    assert store.at("memory:///z")._options == {}


def test_secrets_leave_the_environment() -> None:
    environ = {
        "CROSSDOCK_STORE_OPTIONS": '{"region": "r"}',
        "CROSSDOCK_STORE_SECRET_ACCESS_KEY_ID": "a",
        "OTHER": "stays",
    }
    assert take_store_options(environ) == {"region": "r", "access_key_id": "a"}
    assert "CROSSDOCK_STORE_SECRET_ACCESS_KEY_ID" not in environ
    assert environ["OTHER"] == "stays"


PIPELINE = """
from crossdock import pipeline, step


@step
def one() -> int:
    return 1


@pipeline
def ones() -> int:
    return one()
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "ones.py").write_text(PIPELINE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stack_with(config: dict[str, Any]) -> Client:
    client = Client()
    client.create_component("orchestrator", "cluster", "kubeflow", image="python:3.11")
    client.create_component("artifact_store", "lake", "s3", **config)
    client.create_stack("far", orchestrator="cluster", artifact_store="lake")
    return Client("far")


@pytest.mark.usefixtures("project")
def test_a_cluster_cannot_read_this_machines_secrets() -> None:
    with pytest.raises(BadInput) as caught:
        stack_with({**S3, **HERE}).compile("ones.py")
    text = str(caught.value)
    assert "access_key_id (env)" in text
    assert "{kubernetes: name/key}" in text


@pytest.mark.usefixtures("project")
def test_options_and_secrets_reach_the_pods_of_kubeflow() -> None:
    config = {**S3, **THERE, "region": "eu-west-1", "container_endpoint": "https://minio"}
    spec, _ = stack_with(config).compile("ones.py")
    pipeline, platform = yaml.safe_load_all(spec.main)
    (executor,) = pipeline["deploymentSpec"]["executors"].values()
    env = {item["name"]: item["value"] for item in executor["container"]["env"]}
    assert env["CROSSDOCK_STORE_OPTIONS"] == '{"endpoint": "https://minio", "region": "eu-west-1"}'
    (place,) = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values()
    (secret,) = place["secretAsEnv"]
    assert secret["keyToEnv"] == [
        {"secretKey": "id", "envVar": "CROSSDOCK_STORE_SECRET_ACCESS_KEY_ID"},
        {"secretKey": "secret", "envVar": "CROSSDOCK_STORE_SECRET_SECRET_ACCESS_KEY"},
    ]
