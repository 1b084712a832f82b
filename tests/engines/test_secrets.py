"""Secrets by the vendors' own libraries: AWS against moto, Google and Azure against contract stubs."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import secret_servers
from running import Project

from crossdock_runtime import secret_managers
from crossdock_runtime.failure import KINDS, TaskFailed
from crossdock_runtime.steps import resolve_secret

AWS_ENV = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "x" * 40, "AWS_REGION": "eu-west-1"}
VERSION = "4387e9f3d6e14c459867679a90fd0f79"
GOOGLE = {
    "projects/lab/secrets/token/versions/latest": "ya29-newest",
    "projects/lab/secrets/token/versions/1": "ya29-first",
    "projects/other/secrets/token/versions/latest": "of another project",
    "projects/lab/secrets/private/versions/latest": "denied",
    "projects/lab/secrets/off/versions/latest": "disabled",
}
AZURE = {"token": "kv-newest", f"token/{VERSION}": "kv-first", "private": "denied"}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with secret_servers.moto() as url:
        yield url


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of a moto in which there are no secrets."""
    import boto3

    for name, value in {**AWS_ENV, "AWS_ENDPOINT_URL": moto}.items():
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", method="POST")).close()
    return boto3.client("secretsmanager", region_name="eu-west-1")


@pytest.fixture
def vendors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[secret_servers.Vendors]:
    """Google and Azure, with credentials for both."""
    found = secret_servers.Vendors(tmp_path, {**secret_servers.google(GOOGLE), **secret_servers.azure(AZURE)})
    credentials = {
        "GOOGLE_APPLICATION_CREDENTIALS": str(secret_servers.service_account(tmp_path)),
        "AZURE_TENANT_ID": secret_servers.TENANT, "AZURE_CLIENT_ID": "runner", "AZURE_CLIENT_SECRET": "right",
    }  # fmt: skip
    for name, value in {**found.environment, **credentials}.items():
        monkeypatch.setenv(name, value)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_managers, "_kept", {})
    monkeypatch.setattr(secret_managers, "WAIT_SECONDS", 2.0)


def refusal(source: str, reference: str) -> TaskFailed:
    with pytest.raises(TaskFailed) as found:
        resolve_secret(source, reference, "TOKEN")
    assert found.value.kind == "missing secret"
    assert KINDS[found.value.kind] == 30
    assert f"the secret TOKEN cannot be had from {source} ({reference}): " in str(found.value)
    assert found.value.hint
    return found.value


def test_aws_by_name_arn_stage_and_entry(aws: Any) -> None:
    arn = aws.create_secret(Name="prod/db", SecretString='{"user": "ada", "port": 5432}')["ARN"]
    aws.put_secret_value(SecretId="prod/db", SecretString='{"user": "eve", "port": 5433}')
    assert json.loads(resolve_secret("aws", "prod/db", "DB"))["user"] == "eve"
    assert resolve_secret("aws", "prod/db#user", "DB") == "eve"
    assert resolve_secret("aws", "prod/db#port", "DB") == "5433"
    assert resolve_secret("aws", f"{arn}?stage=AWSPREVIOUS#user", "DB") == "ada"


def test_aws_reads_a_binary_secret_that_is_text(aws: Any) -> None:
    aws.create_secret(Name="text", SecretBinary="grün".encode())
    aws.create_secret(Name="bytes", SecretBinary=b"\xff\xfe")
    assert resolve_secret("aws", "text", "TOKEN") == "grün"
    assert "no UTF-8" in str(refusal("aws", "bytes"))


def test_aws_says_what_is_in_the_way(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.create_secret(Name="plain", SecretString="sesame-and-more")
    assert "ResourceNotFoundException" in str(refusal("aws", "nowhere"))
    assert "ResourceNotFoundException" in str(refusal("aws", "plain?stage=NONE"))
    no_object = refusal("aws", "plain#key")
    assert "no JSON object" in str(no_object)
    assert "sesame" not in f"{no_object}{no_object.hint}"
    monkeypatch.delenv("AWS_REGION")
    assert "AWS_REGION" in str(refusal("aws", "other").hint)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AccessDeniedException", "secretsmanager:GetSecretValue"),
        ("DecryptionFailure", "kms:Decrypt"),
        ("ExpiredTokenException", "aws sts get-caller-identity"),
    ],
)
def test_aws_refuses(code: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = secret_servers.Vendors(tmp_path, secret_servers.refusing_aws("eu-west-1", code))
    for name, value in {**AWS_ENV, **stub.environment}.items():
        monkeypatch.setenv(name, value)
    refused = refusal("aws", "private")
    stub.close()
    assert code in str(refused)
    assert hint in str(refused.hint)


def test_aws_without_credentials(aws: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    refused = refusal("aws", "name")
    assert "redentials" in str(refused)
    assert "aws sts get-caller-identity" in str(refused.hint)


def test_aws_that_does_not_answer(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{secret_servers.free_port()}")
    assert "network" in str(refusal("aws", "name").hint)


def test_google_by_project_name_and_version(vendors: secret_servers.Vendors) -> None:
    assert resolve_secret("gcp", "token", "TOKEN") == "ya29-newest"
    assert resolve_secret("gcp", "token/versions/1", "TOKEN") == "ya29-first"
    assert resolve_secret("gcp", "projects/other/secrets/token", "TOKEN") == "of another project"


def test_google_says_what_is_in_the_way(vendors: secret_servers.Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not found" in str(refusal("gcp", "nowhere"))
    assert "secretmanager.versions.access" in str(refusal("gcp", "private").hint)
    assert "DISABLED" in str(refusal("gcp", "off"))
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{secret_servers.free_port()}")
    assert "network" in str(refusal("gcp", "token").hint)


def test_google_without_credentials(vendors: secret_servers.Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "nowhere.json")
    assert "gcloud auth application-default login" in str(refusal("gcp", "token").hint)


def test_azure_by_url_vault_and_version(vendors: secret_servers.Vendors) -> None:
    assert resolve_secret("azure", "lab/token", "TOKEN") == "kv-newest"
    assert resolve_secret("azure", f"https://lab.vault.azure.net/secrets/token/{VERSION}", "TOKEN") == "kv-first"


def test_azure_says_what_is_in_the_way(vendors: secret_servers.Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "not found" in str(refusal("azure", "lab/nowhere"))
    assert "Key Vault Secrets User" in str(refusal("azure", "lab/private").hint)
    assert "network" in str(refusal("azure", "nowhere/token").hint)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "wrong")
    refused = refusal("azure", "lab/other")
    assert "az login" in str(refused.hint)


def test_one_secret_is_asked_for_once(aws: Any, vendors: secret_servers.Vendors) -> None:
    aws.create_secret(Name="db", SecretString='{"user": "ada", "password": "first"}')
    assert resolve_secret("aws", "db#user", "USER") == "ada"
    aws.put_secret_value(SecretId="db", SecretString='{"user": "eve", "password": "second"}')
    assert resolve_secret("aws", "db#password", "PASSWORD") == "first"
    for _ in range(3):
        resolve_secret("gcp", "token", "TOKEN")
    asked = [path for _, host, path in vendors.seen if host == "secretmanager.googleapis.com"]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("source", "library"), [("aws", "boto3"), ("gcp", "google.cloud"), ("azure", "azure.identity")]
)
def test_a_missing_library_is_a_line_for_pip(source: str, library: str) -> None:
    code = f"""
import sys
sys.modules[{library!r}] = None
from crossdock_runtime.failure import TaskFailed
from crossdock_runtime.steps import resolve_secret
try:
    resolve_secret({source!r}, "vault/name" if {source!r} == "azure" else "name", "TOKEN")
except TaskFailed as error:
    print(error.kind, "|", error, "|", error.hint)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("missing secret | the secret TOKEN cannot be had from")
    for requirement in secret_managers.LIBRARIES[source]:
        assert f"'{requirement}'" in done.stdout
    assert "name them in the step's requirements" in done.stdout


PIPE = """
    import os
    import urllib.parse
    import base64
    from crossdock import Secret, pipeline, step

    @step(secrets={{"TOKEN": Secret({source}={reference!r})}})
    def use() -> int:
        token = os.environ["TOKEN"]
        print("plain", token)
        print("quoted", urllib.parse.quote(token, safe=""))
        print("base64", base64.b64encode(token.encode()).decode())
        if "-" in token and {fails}:
            raise ValueError(f"no luck with {{token}}")
        return len(token)

    @pipeline
    def secretive() -> int:
        return use()
"""


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("source", "reference", "value"),
    [("aws", "api#token", "aws-s3cr3t+/x"), ("gcp", "token", "ya29-newest"), ("azure", "lab/token", "kv-newest")],
)
def test_a_pipeline_has_its_secret_and_no_line_of_its_record_does(
    source: str, reference: str, value: str, workers: str, aws: Any, vendors: secret_servers.Vendors, tmp_path: Path
) -> None:
    aws.create_secret(Name="api", SecretString=json.dumps({"token": value}))
    project = Project(tmp_path)
    project.write(PIPE.format(source=source, reference=reference, fails=False))
    done = project.run("--max-workers", workers)
    assert done.code == 0, str(done)
    assert done.document["tasks"]["use"]["outputs"]["output"]["value"] == len(value)
    project.write(PIPE.format(source=source, reference=reference, fails=True))
    failed = project.run("--max-workers", workers)
    assert failed.code == 1
    assert "no luck with •••" in failed.document["tasks"]["use"]["cause"]["message"]
    said = [done.out, done.err, failed.out, failed.err, project.crossdock("runs", "logs", "latest").out]
    kept = [path.read_text(errors="replace") for path in project.store_path.rglob("*") if path.is_file()]
    assert not any(value in text for text in (*said, *kept))
    replay = project.crossdock("runs", "replay", "latest", "use")
    assert replay.code == 1
    assert value not in replay.out + replay.err


def test_a_secret_that_is_not_there_fails_its_task_and_shows_the_way(aws: Any, tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write(PIPE.format(source="aws", reference="nowhere", fails=False))
    failed = project.run()
    assert failed.code == 1, str(failed)
    cause = failed.document["tasks"]["use"]["cause"]
    assert cause["kind"] == "missing secret"
    assert "ResourceNotFoundException" in cause["message"]
    assert "check the name" in cause["hint"]
