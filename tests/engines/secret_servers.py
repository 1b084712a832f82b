"""The services behind a secret, on loopback: moto for AWS, and contract stubs for Google and Azure.

The two have the hosts, paths and bodies of the services: their libraries reach them by `HTTPS_PROXY`, over TLS.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import json
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

MOTO = Path(__file__).with_name("moto.txt")
TENANT = "0a1b2c3d-0000-4000-8000-000000000000"

Answer = tuple[int, dict[str, str], dict[str, Any]]
Handler = Callable[[str, str, Mapping[str, str], bytes], Answer]


def moto_program() -> Path:
    """`moto_server`, in an environment of its own that is kept in the cache of the tests."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "crossdock-ci"
    digest = hashlib.sha256(MOTO.read_bytes()).hexdigest()[:8]
    name = f"moto-{digest}-py{sys.version_info.major}.{sys.version_info.minor}"
    folder, made = cache / name, cache / f"{name}.{os.getpid()}"
    if not folder.exists():
        uv = Path(sys.executable).with_name("uv")
        try:
            subprocess.run([uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, made], check=True)
            subprocess.run([uv, "pip", "install", "--quiet", "--python", made / "bin/python", "-r", MOTO], check=True)
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    return folder / "bin" / "moto_server"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def moto(log: Path | None = None) -> Iterator[str]:
    """AWS, by moto: its URL; each request is a line of the log."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() if log is None else log.open("w+b") as said:
        words = [moto_program(), "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(words, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            end = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=5).close()
                    break
                assert server.poll() is None, said.seek(0) or said.read().decode()
                assert time.monotonic() < end, "moto does not answer"
                time.sleep(0.05)
            yield url
        finally:
            server.terminate()
            server.wait()


def _certificate(folder: Path, hosts: list[str]) -> tuple[Path, Path]:
    """A certificate of an authority of its own for some hosts, with its key; and the authority's."""
    now = datetime.datetime.now(datetime.UTC)
    days = datetime.timedelta(days=1)
    keys = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]) for text in ("authority", "vendors")]

    def builder(number: int) -> x509.CertificateBuilder:
        found = x509.CertificateBuilder(
            issuer_name=names[0], subject_name=names[number], public_key=keys[number].public_key(),
            serial_number=x509.random_serial_number(), not_valid_before=now - days, not_valid_after=now + days,
        )  # fmt: skip
        found = found.add_extension(x509.SubjectKeyIdentifier.from_public_key(keys[number].public_key()), False)
        return found.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), False)

    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    authority = builder(0).add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
    names_of = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    server = builder(1).add_extension(names_of, False)
    pem = serialization.Encoding.PEM
    trust, chain = folder / "authority.pem", folder / "server.pem"
    trust.write_bytes(authority.sign(keys[0], hashes.SHA256()).public_bytes(pem))
    key = keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain.write_bytes(key + server.sign(keys[0], hashes.SHA256()).public_bytes(pem))
    return trust, chain


class Vendors:
    """A proxy that answers for hosts itself.

    Attributes:
        seen: method, host and path of each request.
        answers: by host.
    """

    def __init__(self, folder: Path, answers: Mapping[str, Handler]) -> None:
        self.answers = answers
        self.seen: list[tuple[str, str, str]] = []
        self.trust, chain = _certificate(folder, list(answers))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        vendors = self

        class Inner(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                host = self.headers["Host"].partition(":")[0]
                vendors.seen.append((self.command, host, self.path))
                status, headers, answer = vendors.answers[host](self.command, self.path, self.headers, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        class Outer(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                if self.path.partition(":")[0] not in vendors.answers:
                    self.send_error(502, "no such host")
                    return
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with contextlib.suppress(OSError), context.wrap_socket(self.connection, server_side=True) as inner:
                    Inner(inner, self.client_address, self.server)

            def log_message(self, *_: object) -> None:
                pass

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Outer)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def environment(self) -> dict[str, str]:
        """What lets the vendors' libraries find it."""
        proxy = f"http://127.0.0.1:{self._server.server_address[1]}"
        found = {"HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        return {**found, "REQUESTS_CA_BUNDLE": str(self.trust), "AWS_CA_BUNDLE": str(self.trust)}

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


def refusing_aws(region: str, code: str) -> dict[str, Handler]:
    """AWS Secrets Manager that refuses everything: what moto answers instead is XML, which the service never does.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/CommonErrors.html
    """

    def manager(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        assert headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
        message = "User: arn:aws:iam::123456789012:user/nobody is not allowed to do this."
        return 400, {"Content-Type": "application/x-amz-json-1.1"}, {"__type": code, "Message": message}

    return {f"secretsmanager.{region}.amazonaws.com": manager}


def service_account(folder: Path) -> Path:
    """Credentials of a service account of the project `lab`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    path = folder / "account.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account", "project_id": "lab", "private_key_id": "1", "private_key": pem,
                "client_email": "runner@lab.iam.gserviceaccount.com", "client_id": "1",
                "token_uri": "https://oauth2.googleapis.com/token",
            }
        )
    )  # fmt: skip
    return path


def google(secrets: Mapping[str, str]) -> dict[str, Handler]:
    """Secret Manager v1 over REST: `projects/P/secrets/S/versions/V` to value; None may not be read.

    Source: https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
    """

    def refused(code: int, status: str, message: str) -> Answer:
        return code, {}, {"error": {"code": code, "message": message, "status": status}}

    def manager(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if not (headers.get("Authorization") or "").startswith("Bearer "):
            return refused(401, "UNAUTHENTICATED", "Request is missing required authentication credential.")
        name, _, verb = path.partition("?")[0].removeprefix("/v1/").partition(":")
        if method != "GET" or verb != "access":
            return refused(404, "NOT_FOUND", "Requested entity was not found.")
        if name not in secrets:
            return refused(404, "NOT_FOUND", f"Secret Version [{name}] not found.")
        value = secrets[name]
        if value == "denied":
            message = f"Permission 'secretmanager.versions.access' denied for resource '{name}' (or it may not exist)."
            return refused(403, "PERMISSION_DENIED", message)
        if value == "disabled":
            return refused(400, "FAILED_PRECONDITION", f"Secret Version [{name}] is in DISABLED state.")
        return 200, {}, {"name": name, "payload": {"data": base64.b64encode(value.encode()).decode()}}

    def token(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return 200, {}, {"access_token": "token-of-google", "expires_in": 3599, "token_type": "Bearer"}

    return {"secretmanager.googleapis.com": manager, "oauth2.googleapis.com": token}


def azure(secrets: Mapping[str, str]) -> dict[str, Handler]:
    """Key Vault `lab` over REST: `NAME` or `NAME/VERSION` to value; and the tenant that its tokens come from.

    Source: https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret and
    https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
    """
    login = f"https://login.microsoftonline.com/{TENANT}"

    def vault(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if headers.get("Authorization") != "Bearer token-of-azure":
            challenge = f'Bearer authorization="{login}", resource="https://vault.azure.net"'
            error = {"code": "Unauthorized", "message": "AKV10000: Request is missing a Bearer or PoP token."}
            return 401, {"WWW-Authenticate": challenge}, {"error": error}
        name = path.partition("?")[0].removeprefix("/secrets/").strip("/")
        if name not in secrets:
            message = f"A secret with (name/id) {name} was not found in this key vault."
            return 404, {}, {"error": {"code": "SecretNotFound", "message": message}}
        if secrets[name] == "denied":
            message = "Caller is not authorized to perform action on resource."
            inner = {"code": "ForbiddenByRbac"}
            return 403, {}, {"error": {"code": "Forbidden", "message": message, "innererror": inner}}
        return 200, {}, {"value": secrets[name], "id": f"https://lab.vault.azure.net/secrets/{name}", "attributes": {}}

    def tenant(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if path.startswith(f"/{TENANT}/v2.0/.well-known/openid-configuration"):
            found = {"issuer": f"{login}/v2.0", "authorization_endpoint": f"{login}/oauth2/v2.0/authorize"}
            return 200, {}, {**found, "token_endpoint": f"{login}/oauth2/v2.0/token"}
        if path.startswith("/common/discovery/instance"):
            return (
                200,
                {},
                {"tenant_discovery_endpoint": f"{login}/v2.0/.well-known/openid-configuration", "metadata": []},
            )
        if b"client_secret=wrong" in body:
            message = "AADSTS7000215: Invalid client secret provided."
            return 401, {}, {"error": "invalid_client", "error_description": message}
        return 200, {}, {"token_type": "Bearer", "expires_in": 3599, "access_token": "token-of-azure"}

    return {"lab.vault.azure.net": vault, "login.microsoftonline.com": tenant}
