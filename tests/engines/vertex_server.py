"""Vertex AI's pipeline and schedule services on loopback, over gRPC and REST; what they answer is the contract's.

By REST there is also Cloud Logging, the token endpoint of a service account, and a proxy that lets nobody through.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc
from google.cloud.aiplatform_v1 import types
from google.protobuf.json_format import MessageToDict, MessageToJson, Parse, ParseError
from grpc_status import rpc_status
from vertex_contract import Refusal, VertexServer, invalid

_HTTP = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_JOBS, _SCHEDULES = "PipelineService", "ScheduleService"
# Method: request, route of REST, where its body goes. From the services' own `google.api.http` options.
_METHODS: dict[str, tuple[str, str, Any, str, str, str]] = {
    "CreatePipelineJob": (_JOBS, "create_job", types.CreatePipelineJobRequest, "POST", "pipelineJobs", "pipeline_job"),
    "ListPipelineJobs": (_JOBS, "list_jobs", types.ListPipelineJobsRequest, "GET", "pipelineJobs", ""),
    "GetPipelineJob": (_JOBS, "get_job", types.GetPipelineJobRequest, "GET", "pipelineJobs/*", ""),
    "CancelPipelineJob": (_JOBS, "cancel_job", types.CancelPipelineJobRequest, "POST", "pipelineJobs/*:cancel", "*"),
    "CreateSchedule": (_SCHEDULES, "create_schedule", types.CreateScheduleRequest, "POST", "schedules", "schedule"),
    "ListSchedules": (_SCHEDULES, "list_schedules", types.ListSchedulesRequest, "GET", "schedules", ""),
    "GetSchedule": (_SCHEDULES, "get_schedule", types.GetScheduleRequest, "GET", "schedules/*", ""),
    "DeleteSchedule": (_SCHEDULES, "delete_schedule", types.DeleteScheduleRequest, "DELETE", "schedules/*", ""),
    "PauseSchedule": (_SCHEDULES, "pause_schedule", types.PauseScheduleRequest, "POST", "schedules/*:pause", "*"),
    "ResumeSchedule": (_SCHEDULES, "resume_schedule", types.ResumeScheduleRequest, "POST", "schedules/*:resume", "*"),
}


def _raw(message: Any) -> Any:
    return type(message).pb(message) if hasattr(type(message), "pb") else message


def _grpc_handlers(server: VertexServer) -> list[Any]:
    services: dict[str, dict[str, Any]] = {_JOBS: {}, _SCHEDULES: {}}
    for method, (service, name, request, *_) in _METHODS.items():
        services[service][method] = _grpc_method(server, method, getattr(server, name), request)
    prefix = "google.cloud.aiplatform.v1"
    return [grpc.method_handlers_generic_handler(f"{prefix}.{name}", found) for name, found in services.items()]


def _grpc_method(server: VertexServer, method: str, do: Callable[[Any], Any], request: Any) -> Any:
    def handle(message: Any, context: Any) -> Any:
        try:
            answer, fault = server.answer(method, lambda: do(message))
        except Refusal as refusal:
            context.abort_with_status(rpc_status.to_status(refusal.status))
        if fault.cut:
            server.cut()
            time.sleep(0.2)
        return answer

    return grpc.unary_unary_rpc_method_handler(
        handle, request_deserializer=request.deserialize, response_serializer=lambda m: _raw(m).SerializeToString()
    )


class _Rest(http.server.BaseHTTPRequestHandler):
    server_state: VertexServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def _send(self, code: int, text: str, *, cut: bool = False, headers: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(code)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def _handle(self) -> None:
        state = self.server_state
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        state.authorization.append(self.headers.get("Authorization"))
        path, _, query = self.path.partition("?")
        try:
            method, do = self._find(path, query, text)
            answer, fault = state.answer(method, do)
        except Refusal as refusal:
            headers = {"Retry-After": "0"} if refusal.name == "RESOURCE_EXHAUSTED" else {}
            error = MessageToDict(refusal.status)
            error |= {"code": _HTTP[refusal.name], "status": refusal.name}
            self._send(_HTTP[refusal.name], json.dumps({"error": error}), headers=headers)
        else:
            body = json.dumps(answer) if isinstance(answer, dict) else MessageToJson(_raw(answer))
            self._send(200, fault.text or body, cut=fault.cut)

    def _find(self, path: str, query: str, text: str) -> tuple[str, Callable[[], Any]]:
        """The method of a request, and what it does."""
        state = self.server_state
        if path == "/token":
            return "Token", lambda: {"access_token": "of-the-key", "expires_in": 3600, "token_type": "Bearer"}
        if path == "/v2/entries:list":
            return "ListEntries", lambda: state.list_entries(json.loads(text))
        found = re.fullmatch(r"/v1/(projects/[^/]+/locations/[^/]+)/(\w+)(?:/([^/:]+))?(:\w+)?", path)
        given = urllib.parse.parse_qs(query)
        for method, (_, name, kind, verb, route, where) in _METHODS.items():
            if (
                found is None
                or verb != self.command
                or route != f"{found[2]}{'/*' if found[3] else ''}{found[4] or ''}"
            ):
                continue
            request = kind.pb(kind())
            inner = request if where == "*" else getattr(request, where) if where else None
            if inner is not None:
                try:
                    Parse(text or "{}", inner)
                except ParseError as error:
                    raise invalid(where, str(error)) from None
            if found[3]:
                request.name = f"{found[1]}/{found[2]}/{found[3]}"
            else:
                request.parent = found[1]
            for key, attribute, cast in (
                ("pipelineJobId", "pipeline_job_id", str),
                ("pageSize", "page_size", int),
                ("pageToken", "page_token", str),
            ):
                if key in given:
                    setattr(request, attribute, cast(given[key][0]))
            return method, functools.partial(getattr(state, name), kind.wrap(request))
        raise Refusal("NOT_FOUND", f"no method at {self.command} {path}")

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815 - http.server's names

    def do_CONNECT(self) -> None:
        """As a proxy it lets nobody through, and says who wanted to go where."""
        self.server_state.proxied.append(self.path)
        self.send_error(502)


class _RestServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that did not wait for its answer is what some tests are about."""


class _Relay:
    """A door to the gRPC server whose connections can be cut."""

    def __init__(self, target: int) -> None:
        import socket

        self._target, self._open = target, list[socket.socket]()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        import socket

        while True:
            try:
                near = self._listener.accept()[0]
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._open += [near, far]
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    @staticmethod
    def _copy(source: Any, sink: Any) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.close()

    def cut(self) -> None:
        """End all connections, in the middle of whatever they do."""
        import socket

        while self._open:
            with contextlib.suppress(OSError):
                self._open.pop().shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Take no further ones."""
        self.cut()
        self._listener.close()


@contextlib.contextmanager
def running() -> Iterator[VertexServer]:
    """The server, on two ports of loopback."""
    state = VertexServer()
    rpc = grpc.server(futures.ThreadPoolExecutor(4))
    rpc.add_generic_rpc_handlers(tuple(_grpc_handlers(state)))
    relay = _Relay(rpc.add_insecure_port("127.0.0.1:0"))
    state.grpc_port, state.cut = relay.port, relay.cut
    rpc.start()
    handler = type("Handler", (_Rest,), {"server_state": state})
    rest = _RestServer(("127.0.0.1", 0), handler)
    state.rest_port = rest.server_port
    threading.Thread(target=rest.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield state
    finally:
        relay.close()
        rpc.stop(0).wait(5)
        rest.shutdown()
        rest.server_close()
