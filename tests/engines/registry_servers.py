"""What stands around a registry in the tests: a token server, a proxy that does harm, an index of packages."""

from __future__ import annotations

import base64
import contextlib
import datetime
import http.client
import http.server
import io
import json
import secrets
import socket
import tarfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        pass

    def reply(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def basic(self) -> tuple[str, str] | None:
        scheme, _, rest = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return None
        user, _, password = base64.b64decode(rest).decode().partition(":")
        return user, password


class _Server(http.server.ThreadingHTTPServer):
    """One that says nothing of clients that go away."""

    def handle_error(self, request: object, client_address: object) -> None:
        pass


@contextlib.contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on loopback, as `127.0.0.1:port`."""
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    """A key and its certificate for 127.0.0.1, signed by itself; also as `key.pem` and `cert.pem`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "crossdock tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return key, made


@dataclass
class TokenServer:
    """As the token specification has it: https://distribution.github.io/distribution/spec/auth/token/

    Attributes:
        users: password and granted actions by user; the user `` is anonymous.
        config: the section of the registry's configuration.
        asked: the scopes of each request.
        identity: the refresh token of a user.
    """

    users: dict[str, tuple[str, set[str]]]
    config: str = ""
    asked: list[list[str]] = field(default_factory=list)
    identity: str = field(default_factory=lambda: secrets.token_hex(8))


@contextlib.contextmanager
def token_server(folder: Path, users: Mapping[str, tuple[str, set[str]]]) -> Iterator[TokenServer]:
    """A token server that a real registry trusts."""
    key, cert = certificate(folder)
    x5c = [base64.b64encode(cert.public_bytes(serialization.Encoding.DER)).decode()]
    found = TokenServer(dict(users))

    class Handler(_Handler):
        def do_GET(self) -> None:
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            user, password = self.basic() or ("", "")
            if user not in found.users or found.users[user][0] != password:
                return self.reply(401, b'{"details": "incorrect username or password"}')
            return self.token(user, query["service"][0], query.get("scope", []))

        def do_POST(self) -> None:
            form = urllib.parse.parse_qs(self.body().decode())
            assert form["grant_type"] == ["refresh_token"]
            assert form["client_id"]
            if form["refresh_token"] != [found.identity]:
                return self.reply(401, b'{"details": "no such refresh token"}')
            return self.token("identity", form["service"][0], form["scope"][0].split())

        def token(self, user: str, service: str, scopes: list[str]) -> None:
            found.asked.append(scopes)
            granted = found.users[user][1]
            access = []
            for scope in scopes:
                type_, name, actions = scope.split(":")
                access.append({"type": type_, "name": name, "actions": sorted(set(actions.split(",")) & granted)})
            now = int(time.time())
            claims = {
                "iss": "crossdock-tests", "sub": user, "aud": service, "exp": now + 300, "nbf": now - 10, "iat": now,
                "jti": secrets.token_hex(8), "access": access,
            }  # fmt: skip
            token = jwt.encode(claims, key, "RS256", headers={"x5c": x5c})
            self.reply(200, json.dumps({"token": token, "access_token": token, "expires_in": 300}).encode())

    with serving(Handler) as address:
        found.config = (
            f"auth: {{token: {{realm: 'http://{address}/token', service: registry, issuer: crossdock-tests, "
            f"rootcertbundle: '{folder}/cert.pem'}}}}\n"
        )
        yield found


Harm = Callable[[str, str], "int | str | None"]
"""From method and path to what is done instead: a status, `cut` after half of the body, or None for nothing."""


@contextlib.contextmanager
def proxy(address: str, harm: Harm) -> Iterator[str]:
    """A registry behind something that does harm."""

    class Handler(_Handler):
        def any(self) -> None:
            done = harm(self.command, self.path)
            if isinstance(done, int):
                self.body()
                return self.reply(
                    done, b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "slowly"}]}', Retry_After="1"
                )
            if done == "cut" and self.command == "PATCH":
                self.rfile.read(int(self.headers["Content-Length"]) // 2)
                return self.cut()
            with contextlib.closing(http.client.HTTPConnection(address)) as there:
                headers = {name: value for name, value in self.headers.items() if name != "Connection"}
                there.request(self.command, self.path, self.body(), headers)
                answer = there.getresponse()
                body = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name not in ("Connection", "Content-Length", "Transfer-Encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", answer.getheader("Content-Length") or str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if done == "cut" else body)
            return self.cut() if done == "cut" else None

        def cut(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = any  # noqa: N815

    with serving(Handler) as found:
        yield found


@contextlib.contextmanager
def package_index(files: Path, login: tuple[str, str] | None = None) -> Iterator[str]:
    """An index of the files in a folder, as https://packaging.python.org/en/latest/specifications/simple-repository-api/
    has it; with a login, nobody else gets anything."""

    class Handler(_Handler):
        def do_GET(self) -> None:
            if login is not None and self.basic() != login:
                return self.reply(401, WWW_Authenticate="Basic realm=index")
            name = urllib.parse.unquote(self.path.rstrip("/").rpartition("/")[2])
            if (files / name).is_file():
                return self.reply(200, (files / name).read_bytes(), Content_Type="application/octet-stream")
            own = [file.name for file in files.iterdir() if file.name.partition("-")[0].replace("_", "-") == name]
            links = "".join(f'<a href="/files/{file}">{file}</a>' for file in own)
            return self.reply(200 if own else 404, f"<html>{links}</html>".encode(), Content_Type="text/html")

        do_HEAD = do_GET  # noqa: N815

    with serving(Handler) as found:
        yield f"http://{found}/simple/"


_BACKEND = """
import zipfile
NAME, TAG = {name!r}, {tag!r}
def get_requires_for_build_wheel(config_settings=None): return []
def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    file = f"{{NAME}}-1.0-{{TAG}}.whl"
    with zipfile.ZipFile(f"{{wheel_directory}}/{{file}}", "w") as wheel:
        wheel.writestr(f"{{NAME}}/__init__.py", "value = 1\\n")
        about = f"{{NAME}}-1.0.dist-info"
        wheel.writestr(f"{{about}}/METADATA", f"Metadata-Version: 2.1\\nName: {{NAME}}\\nVersion: 1.0\\n")
        wheel.writestr(f"{{about}}/WHEEL", f"Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: {{TAG}}\\n")
        wheel.writestr(f"{{about}}/RECORD", "")
    return file
"""


def source_distribution(folder: Path, name: str, tag: str) -> None:
    """A source distribution whose wheel has a tag; building it needs nothing else."""
    files = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": _BACKEND.format(name=name, tag=tag),
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
    }
    with tarfile.open(folder / f"{name}-1.0.tar.gz", "w:gz") as tar:
        for file, text in files.items():
            entry = tarfile.TarInfo(f"{name}-1.0/{file}")
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))


def wheel(folder: Path, name: str, tag: str) -> None:
    """A wheel with a tag."""
    space: dict[str, Any] = {}
    exec(compile(_BACKEND.format(name=name, tag=tag), "backend", "exec"), space)
    space["build_wheel"](str(folder))
