"""Object stores that others wrote, on loopback, each started once: SeaweedFS, moto, Azurite.

A `Place` says how one of them is reached: from this machine by `open()` or by the component's `config`, and from a
container that has the host's network by the same addresses.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from docker_engine import CACHE, answers, free_port, need, running, wait_until
from http_proxy import google_to_s3, proxy, s3_to_google

from crossdock import registry
from crossdock.stacks import ArtifactStore
from crossdock_runtime.store import Store

BUCKET = "crossdock"
KEYS = ("AKIACROSSDOCK", "secret-of-the-tests")
READER = ("AKIAREADER", "another-secret")
# Those of every Azurite: https://github.com/Azure/Azurite#default-storage-account
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
AZURITE = "azurite@3.35.0"
_REQUIREMENTS = Path(__file__).with_name("requirements-stores.txt")


@dataclass(frozen=True)
class Place:
    """A bucket, and how it is reached.

    Attributes:
        flavor: of the artifact store.
        config: of the component; its secrets are references to `env`.
        env: the variables that it refers to.
        port: of the server.
    """

    flavor: str
    config: Mapping[str, Any]
    env: Mapping[str, str] = field(default_factory=dict)
    port: int = 0

    def fresh(self) -> Place:
        """The same bucket, with a prefix that nobody has used."""
        uri = "/".join(self.config["uri"].split("/")[:3])
        return self.having(uri=f"{uri}/t-{uuid.uuid4().hex[:12]}")

    def having(self, **config: Any) -> Place:
        """The same, with another configuration."""
        return replace(self, config={**self.config, **config})

    def through(self, port: int) -> Place:
        """The same, through a proxy."""
        return self.having(endpoint=self.config["endpoint"].replace(f":{self.port}", f":{port}"))

    def component(self, name: str = "remote") -> ArtifactStore[Any]:
        """The artifact store."""
        kind = registry.flavor("artifact_store", self.flavor)
        made: ArtifactStore[Any] = kind(name, kind.Config(**self.config))
        return made

    def open(self) -> Store:
        """The data plane, as this machine has it."""
        before = {name: os.environ.get(name) for name in self.env}
        os.environ.update(self.env)
        try:
            return self.component().open()
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def arguments(self) -> list[str]:
        """The configuration as options of `crossdock artifact-store register`."""
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in self.config.items()}
        return [f"--{name}={text}" for name, text in texts.items()]


def environment() -> Path:
    """The folder of programs of an environment with SeaweedFS and moto; made once, and kept in the cache."""
    digest = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:12]
    name = f"stores-{digest}-py{sys.version_info.major}.{sys.version_info.minor}"
    folder, made = CACHE / name, CACHE / f"{name}.{os.getpid()}"
    if not folder.exists():
        uv = Path(sys.executable).with_name("uv")
        try:
            subprocess.run([uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, made], check=True)
            install = [uv, "pip", "install", "--quiet", "--python", made / "bin" / "python", "-r", _REQUIREMENTS]
            subprocess.run(install, check=True)
            made.rename(folder)
        except subprocess.CalledProcessError as error:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"SeaweedFS and moto cannot be installed: {error}")
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return folder / "bin"


def azurite_program() -> list[str]:
    """The command that starts Azurite's blob service; installed once, and kept in the cache."""
    node, npm = need("node"), need("npm")
    name = AZURITE.replace("@", "-")
    folder, made = CACHE / name, CACHE / f"{name}.{os.getpid()}"
    if not folder.exists():
        made.mkdir(parents=True)
        try:
            command = [npm, "install", "--prefix", str(made), "--no-audit", "--no-fund", "--silent", AZURITE]
            subprocess.run(command, check=True)
            made.rename(folder)
        except subprocess.CalledProcessError as error:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"Azurite cannot be installed: {error}")
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return [node, str(folder / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js")]


@contextlib.contextmanager
def seaweedfs(folder: Path) -> Iterator[int]:
    """SeaweedFS with its S3 port, which is given. Signatures count; who sends none may do everything, as with no login.

    Args:
        folder: for its data.
    """
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identities = [
        {"name": "writer", "credentials": [_pair(KEYS)], "actions": actions},
        {"name": "reader", "credentials": [_pair(READER)], "actions": ["Read", "List"]},
        {"name": "anonymous", "actions": actions},
    ]
    data, config, log = folder / "data", folder / "s3.json", folder / "log"
    data.mkdir()
    config.write_text(json.dumps({"identities": identities}))
    ports = {name: free_port() for name in ("s3", "master", "volume", "filer")}
    command = [str(environment() / "weed"), "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command += [
        "-filer",
        "-s3",
        f"-s3.config={config}",
        "-s3.autoCreateBucket=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]
    command += ["-s3.iam=false", "-volume.max=40", "-master.volumeSizeLimitMB=1024"]
    for name, port in ports.items():
        command += [f"-{name}.port={port}", f"-{name}.port.grpc={free_port()}"]
    with running(command, log) as process:
        url = f"http://127.0.0.1:{ports['s3']}"
        wait_until(lambda: answers(url) and _makes(f"{url}/{BUCKET}"), process, log)
        try:
            yield ports["s3"]
        finally:
            process.kill()  # asked to end it takes a minute, and its data is not wanted any more


def _pair(keys: tuple[str, str]) -> dict[str, str]:
    return {"accessKey": keys[0], "secretKey": keys[1]}


def _makes(url: str, headers: Mapping[str, str] | None = None) -> bool:
    request = urllib.request.Request(url, method="PUT", headers={"Content-Length": "0", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=5):
            return True
    except OSError:
        return False


@contextlib.contextmanager
def moto(folder: Path, **environ: str) -> Iterator[int]:
    """moto's server, whose port is given; it has no bucket but `BUCKET`.

    Args:
        folder: for its log.
        environ: more of its environment.
    """
    port, log = free_port(), folder / "log"
    command = [str(environment() / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with running(command, log, env={**os.environ, **environ}) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{url}/moto-api/"), process, log)
        assert _makes(f"{url}/{BUCKET}")
        yield port


@contextlib.contextmanager
def azurite(folder: Path) -> Iterator[int]:
    """Azurite, whose port is given, with one container."""
    port, log = free_port(), folder / "log"
    command = [*azurite_program(), "--silent", "--inMemoryPersistence", "--blobHost", "127.0.0.1"]
    command += ["--blobPort", str(port), "--skipApiVersionCheck", "--disableTelemetry"]
    with running(command, log, cwd=folder) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/"), process, log)
        assert _make_container(port)
        yield port


def _make_container(port: int) -> bool:
    # https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
    date, version = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"), "2021-08-06"
    path = f"/{ACCOUNT}/{BUCKET}"
    text = f"PUT{chr(10) * 12}x-ms-date:{date}\nx-ms-version:{version}\n/{ACCOUNT}{path}\nrestype:container"
    digest = hmac.new(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256).digest()
    signed = f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"
    headers = {"x-ms-date": date, "x-ms-version": version, "Authorization": signed}
    return _makes(f"http://127.0.0.1:{port}{path}?restype=container", headers)


def s3_place(port: int) -> Place:
    """A store that speaks S3, with the keys of the tests."""
    config = {
        "uri": f"s3://{BUCKET}",
        "region": "us-east-1",
        "endpoint": f"http://127.0.0.1:{port}",
        "allow_http": True,
        "access_key_id": {"env": "TEST_S3_ID"},
        "secret_access_key": {"env": "TEST_S3_SECRET"},
    }
    return Place("s3", config, {"TEST_S3_ID": KEYS[0], "TEST_S3_SECRET": KEYS[1]}, port)


def azure_place(port: int) -> Place:
    """Azurite."""
    config = {
        "uri": f"az://{BUCKET}",
        "account": ACCOUNT,
        "endpoint": f"http://127.0.0.1:{port}/{ACCOUNT}",
        "allow_http": True,
        "account_key": {"env": "TEST_AZURE_KEY"},
    }
    return Place("azure", config, {"TEST_AZURE_KEY": ACCOUNT_KEY}, port)


def gcs_place(port: int) -> Place:
    """A store behind the proxy that translates Google's headers; nobody signs."""
    config = {
        "uri": f"gs://{BUCKET}",
        "endpoint": f"http://127.0.0.1:{port}",
        "allow_http": True,
        "anonymous": True,
    }
    return Place("gcs", config, {}, port)


@contextlib.contextmanager
def google(s3_port: int) -> Iterator[int]:
    """SeaweedFS's S3 port as Google's XML API; the port of the proxy is given."""
    with proxy(s3_port, google_to_s3, s3_to_google) as found:
        yield found.port
