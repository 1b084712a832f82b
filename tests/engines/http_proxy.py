"""An HTTP proxy on loopback between a client and one server: it changes headers, and does harm where it is told to."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-connection"}


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    Attributes:
        status: the answer; the server sees the request only where `applied` says so.
        code: of the error in the answer.
        applied: whether the server gets the request, although its answer is another one, or lost.
        reset: the connection is cut: with `applied` instead of the answer, without it in the middle of the request.
        truncate: so much of the answer's body comes, then the connection is cut.
        seconds: of waiting before anything else.
    """

    status: int = 0
    code: str = "Injected"
    applied: bool = False
    reset: bool = False
    truncate: float | None = None
    seconds: float = 0.0


Choose = Callable[[str, str, int], "Fault | None"]
"""From method, path with query, and the request's number, which begins with 1, to what happens to it."""
Rewrite = Callable[[Mapping[str, str]], dict[str, str]]


class Proxy:
    """The proxy; `choose` may be changed at any time.

    Attributes:
        requests: method and path of all that came.
    """

    def __init__(self, upstream: int, to_server: Rewrite = dict, to_client: Rewrite = dict) -> None:
        self.choose: Choose = lambda method, path, number: None
        self.requests: list[tuple[str, str]] = []
        self.faults = 0
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                pass

            def _any(self) -> None:
                proxy._handle(self, upstream, to_server, to_client)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _any  # noqa: N815

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handle(self, client: BaseHTTPRequestHandler, upstream: int, to_server: Rewrite, to_client: Rewrite) -> None:
        with self._lock:
            self.requests.append((client.command, client.path))
            fault = self.choose(client.command, client.path, len(self.requests)) or Fault()
            self.faults += fault != Fault()
        time.sleep(fault.seconds)
        length = int(client.headers.get("Content-Length") or 0)
        if fault.reset and not fault.applied:
            client.rfile.read(length // 2)
            return _reset(client)
        body = client.rfile.read(length)
        if fault.status and not fault.applied:
            return _answer(client, fault)
        headers = to_server({name: value for name, value in client.headers.items() if name.lower() not in _HOP_BY_HOP})
        server = http.client.HTTPConnection("127.0.0.1", upstream, timeout=60)
        try:
            server.request(client.command, client.path, body or None, headers)
            answer = server.getresponse()
            data = answer.read()
        finally:
            server.close()
        if fault.reset:
            return _reset(client)
        if fault.status:
            return _answer(client, fault)
        client.send_response_only(answer.status, answer.reason)
        told = to_client({name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP})
        for name, value in told.items():
            if name.lower() != "content-length":
                client.send_header(name, value)
        size = answer.getheader("Content-Length") if client.command == "HEAD" else str(len(data))
        if size is not None and answer.status != 204:
            client.send_header("Content-Length", size)
        client.end_headers()
        if client.command == "HEAD":
            return None
        with contextlib.suppress(OSError):  # the client may have lost interest
            if fault.truncate is not None and data:
                client.wfile.write(data[: int(len(data) * fault.truncate)])
                return _reset(client)
            client.wfile.write(data)
        return None


def _answer(client: BaseHTTPRequestHandler, fault: Fault) -> None:
    body = f"<Error><Code>{fault.code}</Code><Message>by the test</Message></Error>".encode()
    client.send_response_only(fault.status)
    client.send_header("Content-Length", str(len(body)))
    client.end_headers()
    if client.command != "HEAD":
        client.wfile.write(body)


def _reset(client: BaseHTTPRequestHandler) -> None:
    """Cut the connection so that the other side notices: RST instead of FIN."""
    client.close_connection = True
    with contextlib.suppress(OSError):
        client.wfile.flush()
        client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.connection.close()


@contextlib.contextmanager
def proxy(upstream: int, to_server: Rewrite = dict, to_client: Rewrite = dict) -> Iterator[Proxy]:
    """A proxy until the end of the block.

    Args:
        upstream: port of the server.
        to_server: changes the request's headers.
        to_client: changes the answer's headers.
    """
    found = Proxy(upstream, to_server, to_client)
    try:
        yield found
    finally:
        found.close()


def google_to_s3(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of Google's XML API as a store understands them that speaks S3 only."""
    found = {}
    for name, value in headers.items():
        if name.lower() == "x-goog-if-generation-match" and value == "0":
            found["If-None-Match"] = "*"
        elif name.lower() != "authorization":  # a bearer's, which S3 has not
            found[name.replace("x-goog-meta-", "x-amz-meta-")] = value
    return found


def s3_to_google(headers: Mapping[str, str]) -> dict[str, str]:
    """The other way round."""
    return {name.lower().replace("x-amz-meta-", "x-goog-meta-"): value for name, value in headers.items()}
