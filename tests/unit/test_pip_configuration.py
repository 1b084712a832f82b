"""What a build is given so that pip finds its index: this machine's configuration, and the component's over it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from crossdock.stacks import PackageIndex
from crossdock_adapters.image_builders._pip import PipConfiguration, pip_configuration


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any configuration of pip."""
    options = "INDEX_URL EXTRA_INDEX_URL TRUSTED_HOST PROXY TIMEOUT RETRIES NO_INDEX FIND_LINKS PRE CERT"
    for name in options.split():
        monkeypatch.delenv(f"PIP_{name}", raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CONFIG_FILE", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("PIP_INDEX_URL", "https://machine.example.org/simple")  # over the files of this machine
    monkeypatch.setenv("PIP_CERT", str(tmp_path / "none.pem"))
    return tmp_path


def configuration(**index: object) -> PipConfiguration:
    return pip_configuration(PackageIndex(**index))  # type: ignore[arg-type]


def test_the_environment_is_over_the_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home / ".config" / "pip"
    folder.mkdir(parents=True)
    text = "[global]\nindex-url = https://file.example.org/simple\n[install]\nextra_index_url =\n  https://a/x\n  https://b/y\n"
    (folder / "pip.conf").write_text(text)
    found = configuration()
    assert "index-url = https://machine.example.org/simple\n" in found.text
    assert "https://a/x" in found.text
    assert "https://b/y" in found.text
    monkeypatch.delenv("PIP_INDEX_URL")
    assert "index-url = https://file.example.org/simple\n" in configuration().text


def test_the_component_is_over_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "p@ss/word")
    found = configuration(
        url="https://team.example.org/simple", user="me", password={"env": "TOKEN"}, extra_urls=["https://c/z"]
    )
    assert "index-url = https://me:p%40ss%2Fword@team.example.org/simple\n" in found.text
    assert "machine" not in found.text
    assert "extra-index-url = https://c/z\n" in found.text
    assert {"p@ss/word", "p%40ss%2Fword"} <= set(found.secrets)
    assert not found.on_loopback


def test_passwords_of_the_machine_are_known_as_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://me:hunter22@extra.example.org/simple https://other/simple")
    assert configuration().secrets == ("hunter22",)


def test_certificates_are_mounted(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert configuration().certificates is None
    assert "cert" not in configuration().text
    (home / "ca.pem").write_text("x")
    monkeypatch.setenv("PIP_CERT", str(home / "ca.pem"))
    found = configuration()
    assert found.certificates == home / "ca.pem"
    assert "cert = /run/secrets/ca.pem\n" in found.text
    assert str(home) not in found.text


def test_places_of_this_machine_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", "/opt/somewhere")
    assert "find-links" not in configuration().text
    monkeypatch.setenv("PIP_FIND_LINKS", "https://files.example.org/")
    assert "find-links = https://files.example.org/\n" in configuration().text


def test_an_index_on_this_machine_wants_its_network() -> None:
    assert configuration(url="http://localhost:3141/simple").on_loopback
    assert configuration(url="http://[::1]:3141/simple").on_loopback
    assert not configuration().on_loopback
