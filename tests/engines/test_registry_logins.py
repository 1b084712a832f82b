"""Logins by the vendors' own libraries: AWS against moto, Google and Azure against servers true to their contracts."""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import registry_servers
import secret_servers
from cryptography.hazmat.primitives import serialization

from crossdock import registry
from crossdock.dsl.errors import BadInput, CrossdockError, PlatformError
from crossdock.stacks import ContainerRegistry, Login


@pytest.fixture(autouse=True)
def _nobodys_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the credentials of whoever runs the tests."""
    for name in os.environ:
        if name.startswith(("AWS_", "AZURE_", "GOOGLE_", "GH_", "GITHUB_")) and name != "AWS_CA_BUNDLE":
            monkeypatch.delenv(name)
    for name in ("HOME", "DOCKER_CONFIG", "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_GCE_CHECK", "true")


def made(flavor: str, **config: Any) -> ContainerRegistry[Any]:
    found = registry.flavor("container_registry", flavor)
    component: ContainerRegistry[Any] = found("images", found.Config(**config))
    return component


def refusal(component: ContainerRegistry[Any]) -> CrossdockError:
    with pytest.raises(CrossdockError) as caught:
        component.login()
    return caught.value


# Amazon ECR.


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """AWS by moto."""
    with secret_servers.moto() as url:
        yield url


def aws(monkeypatch: pytest.MonkeyPatch, url: str) -> ContainerRegistry[Any]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return made("ecr", registry_id="123456789012", region="eu-west-1", namespace="ml")


def test_ecr_logs_in_and_makes_the_repository(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    ecr = aws(monkeypatch, moto)
    login = ecr.login()
    assert login is not None
    assert login.user == "AWS"
    assert login.password
    repository = ecr.repository("flight-delays")
    assert repository == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/ml/flight-delays"
    ecr.prepare(repository)
    ecr.prepare(repository)
    there = boto3.client("ecr", region_name="eu-west-1").describe_repositories()["repositories"]
    assert [one["repositoryUri"] for one in there] == [repository]


def test_ecr_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """What AWS answers in its JSON protocol, https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html."""
    answers = {"DescribeRepositories": "RepositoryNotFoundException"}

    class Aws(registry_servers._Handler):
        def do_POST(self) -> None:  # noqa: N802
            self.body()
            operation = self.headers["X-Amz-Target"].partition(".")[2]
            kind = answers.get(operation, "AccessDeniedException")
            self.reply(400, json.dumps({"__type": kind, "message": f"no {operation}"}).encode())

    with registry_servers.serving(Aws) as address:
        ecr = aws(monkeypatch, f"http://{address}")
        error = refusal(ecr)
        assert (error.id, error.exit_code) == ("registry-refused", 3)
        assert "ecr:GetAuthorizationToken" in str(error.hint)
        with pytest.raises(PlatformError) as caught:
            ecr.prepare(ecr.repository("flight-delays"))
        assert "make the repository ml/flight-delays, which is not there" in caught.value.message
        assert "aws ecr create-repository --region eu-west-1 --repository-name ml/flight-delays" in str(
            caught.value.hint
        )
        answers["DescribeRepositories"] = "AccessDeniedException"  # may push, may not look
        ecr.prepare(ecr.repository("flight-delays"))
        answers["GetAuthorizationToken"] = "ExpiredTokenException"
        assert "whether they still hold" in str(refusal(ecr).hint)
    error = refusal(ecr)
    assert (error.id, error.exit_code) == ("registry-unreachable", 3)


def test_ecr_without_credentials(tmp_path: Path) -> None:
    ecr = made("ecr", registry_id="123456789012", region="eu-west-1")
    error = refusal(ecr)
    assert (error.id, error.exit_code) == ("missing-secret", 2)
    assert "aws sso login" in str(error.hint)
    # What docker login has stored does as well.
    entry = {"username": "AWS", "password": "stored"}
    (tmp_path / "config.json").write_text(json.dumps({"auths": {f"https://{ecr.prefix}": entry}}))
    assert ecr.login() == Login("AWS", "stored")


def test_ecr_names_are_those_of_its_own_model() -> None:
    from botocore.loaders import Loader

    shape = Loader().load_service_model("ecr", "service-2")["shapes"]["RepositoryName"]
    ecr = made("ecr", registry_id="123456789012", region="eu-west-1")
    for name in (
        "a",
        "ab",
        "a/b",
        "a_b",
        "a__b",
        "a-b",
        "a--b",
        "A",
        "a/",
        "/a",
        "a.b",
        "a..b",
        "x" * 256,
        "x" * 257,
        "é",
    ):
        theirs = bool(re.fullmatch(shape["pattern"], name)) and shape["min"] <= len(name) <= shape["max"]
        try:
            ecr.repository(name)
            ours = True
        except BadInput:
            ours = False
        assert ours == theirs, name


# Google Artifact Registry.


def test_artifact_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service account's token, https://developers.google.com/identity/protocols/oauth2/service-account#httprest."""
    key, _ = registry_servers.certificate(tmp_path)
    good = True

    class Google(registry_servers._Handler):
        def do_POST(self) -> None:  # noqa: N802
            form = urllib.parse.parse_qs(self.body().decode())
            assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
            claims = jwt.decode(
                form["assertion"][0], key.public_key(), ["RS256"], audience="https://oauth2.googleapis.com/token"
            )
            assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
            if not good:
                return self.reply(400, b'{"error": "invalid_grant", "error_description": "account not found"}')
            body = {"access_token": f"token of {claims['iss']}", "expires_in": 3600, "token_type": "Bearer"}
            return self.reply(200, json.dumps(body).encode(), Content_Type="application/json")

    google = made("artifact-registry", project="my-project", location="europe-west1", repository="images")
    assert google.repository("a/b") == "europe-west1-docker.pkg.dev/my-project/images/a/b"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    assert refusal(google).id == "missing-secret"
    with registry_servers.serving(Google) as address:
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        account = {
            "type": "service_account", "client_email": "me@example.com", "private_key": pem.decode(),
            "token_uri": f"http://{address}/token", "project_id": "my-project",
        }  # fmt: skip
        (tmp_path / "account.json").write_text(json.dumps(account))
        assert google.login() == Login("oauth2accesstoken", "token of me@example.com")
        good = False
        error = refusal(google)
        assert (error.id, error.exit_code) == ("login-failed", 3)
        assert "account not found" in error.message
        assert "gcloud auth application-default login" in str(error.hint)


# Azure Container Registry.


def test_acr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A managed identity of App Service, then https://azure.github.io/acr/AAD-OAuth.html."""
    status = 200

    class Azure(registry_servers._Handler):
        def do_GET(self) -> None:  # noqa: N802
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            assert self.headers["X-IDENTITY-HEADER"] == "of the test"
            assert query["resource"] == ["https://containerregistry.azure.net"]
            body = {"access_token": "of entra", "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}
            self.reply(
                200, json.dumps({**body, "resource": query["resource"][0]}).encode(), Content_Type="application/json"
            )

        def do_POST(self) -> None:  # noqa: N802
            form = urllib.parse.parse_qs(self.body().decode())
            assert self.path == "/oauth2/exchange"
            assert form == {"grant_type": ["access_token"], "service": [address], "access_token": ["of entra"]}
            body = {"refresh_token": "of the registry"} if status == 200 else {"errors": [{"code": "UNAUTHORIZED"}]}
            self.reply(status, json.dumps(body).encode(), Content_Type="application/json")

    flavor = registry.flavor("container_registry", "acr")

    class OnLoopback(flavor):  # type: ignore[misc, valid-type]
        host = property(lambda self: address)
        insecure = True

    acr = OnLoopback("images", flavor.Config(registry="contoso"))
    assert made("acr", registry="Contoso", namespace="ml").repository("a") == "contoso.azurecr.io/ml/a"
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    with registry_servers.serving(Azure) as address:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{address}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "of the test")
        assert acr.login() == Login("00000000-0000-0000-0000-000000000000", "of the registry")
        status = 401
        error = refusal(acr)
        assert (error.id, error.exit_code) == ("login-failed", 3)
        assert "AcrPush" in str(error.hint)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    error = refusal(acr)
    assert (error.id, error.exit_code) == ("missing-secret", 2)
    assert "az login" in str(error.hint)


# GitHub, Docker Hub and what docker login has stored.


def test_github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    github = made("github", owner="Octo-Org")
    assert github.repository("flight-delays") == "ghcr.io/octo-org/flight-delays"
    assert github.login() is None
    (tmp_path / "config.json").write_text(json.dumps({"auths": {"ghcr.io": {"auth": "bWU6c3RvcmVk"}}}))
    assert github.login() == Login("me", "stored")
    monkeypatch.setenv("GH_TOKEN", "second")
    assert github.login() == Login("Octo-Org", "second")
    monkeypatch.setenv("GITHUB_TOKEN", "first")
    monkeypatch.setenv("GITHUB_ACTOR", "octocat")
    assert github.login() == Login("octocat", "first")
    monkeypatch.setenv("MINE", "given")
    given = made("github", owner="Octo-Org", credentials={"user": "bot", "token": {"env": "MINE"}})
    assert given.login() == Login("bot", "given")


def test_docker_hub_and_the_store_of_all_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = made("dockerhub", owner="team")
    assert hub.repository("flight-delays") == "docker.io/team/flight-delays"
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"auths": {"https://index.docker.io/v1/": {"auth": "bWU6c3RvcmVk"}}}))
    assert hub.login() == Login("me", "stored")
    programs = tmp_path / "bin"
    programs.mkdir()
    helper = programs / "docker-credential-tests"
    helper.write_text(
        f"#!{sys.executable}\nimport json, sys\nserver = sys.stdin.read().strip()\n"
        "if server == 'broken.example.com': sys.exit('the vault is locked')\n"
        "if server != 'https://index.docker.io/v1/': print('credentials not found in native keychain'); sys.exit(1)\n"
        "print(json.dumps(dict(ServerURL=server, Username='<token>', Secret='identity')))\n"
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    config.write_text(json.dumps({"credsStore": "tests", "auths": {"https://index.docker.io/v1/": {}}}))
    assert hub.login() == Login("<token>", "identity")
    assert made("default", uri="registry.example.com/team").login() is None
    error = refusal(made("default", uri="broken.example.com"))
    assert (error.id, error.exit_code) == ("login-failed", 3)
    assert "the vault is locked" in error.message
    config.write_text("{")
    assert refusal(hub).id == "bad-config"
    config.write_text('{"auths": [1]}')
    assert refusal(hub).id == "bad-config"
    config.write_text('{"auths": {"docker.io": {"auth": "***"}}}')
    assert refusal(hub).id == "bad-config"
