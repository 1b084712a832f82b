"""Vertex AI's pipeline and schedule services on loopback, over gRPC and REST, from Google's own protobuf classes.

It refuses what the contract refuses, and starts nothing: tests say how a job goes on. Beside it, what a submitter also
asks: Cloud Logging's `entries:list` and the token endpoint of a service account. Any answer can be made to fail.

Sources: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs,
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.schedules and the messages' own comments.
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
from collections import deque
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.aiplatform_v1 import types
from google.longrunning.operations_pb2 import Operation
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict, MessageToJson, Parse, ParseError
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

PARENT = "projects/crossdock-tests/locations/europe-west4"
_JOB_ID = re.compile(r"[a-z][-a-z0-9]{0,127}")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")
_CRON = re.compile(r"(?:(?:CRON_)?TZ=\S+ )?(\S+ ){4}\S+")
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


class Refusal(Exception):
    """An error of `google.rpc`."""

    def __init__(self, status: str, message: str, *details: Any) -> None:
        super().__init__(message)
        self.status = status_pb2.Status(code=code_pb2.Code.Value(status), message=message)
        self.name = status
        for detail in details:
            self.status.details.add().Pack(detail)


def invalid(field: str, description: str) -> Refusal:
    """What a field that breaks the contract is answered with."""
    violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
    bad = error_details_pb2.BadRequest(field_violations=[violation])
    return Refusal("INVALID_ARGUMENT", "Request contains an invalid argument.", bad)


def denied(permission: str, resource: str) -> Refusal:
    """What a missing permission is answered with."""
    info = error_details_pb2.ErrorInfo(
        reason="IAM_PERMISSION_DENIED", domain="iam.googleapis.com", metadata={"permission": permission}
    )
    words = f"Permission '{permission}' denied on resource '//aiplatform.googleapis.com/{resource}'"
    return Refusal("PERMISSION_DENIED", f"{words} (or it may not exist).", info)


@dataclass
class Fault:
    """What an answer is replaced by.

    Attributes:
        refusal: sent as an answer.
        done: whether what was asked is done before.
        cut: the connection ends without an answer, or in the middle of it.
        hang: seconds before anything is sent.
        text: sent as an answer of REST that is no JSON.
    """

    refusal: Refusal | None = None
    done: bool = False
    cut: bool = False
    hang: float = 0
    text: str = ""


@dataclass
class VertexServer:
    """The state behind both transports.

    Attributes:
        calls: name of each method that was called, as `CreatePipelineJob`.
        authorization: the header of each call by REST.
        proxied: where somebody wanted to be connected to, with the port of REST as a proxy.
        faults: for the next calls of a method.
        logs: entries of Cloud Logging, by the custom job's id.
        lingers: how often a schedule that is deleted can still be got.
        cut: ends all connections of gRPC.
    """

    jobs: dict[str, Any] = field(default_factory=dict)
    schedules: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    authorization: list[str | None] = field(default_factory=list)
    proxied: list[str] = field(default_factory=list)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    logs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lingers: int = 1
    grpc_port: int = 0
    rest_port: int = 0
    cut: Callable[[], None] = lambda: None

    def fail(self, method: str, *faults: Fault | Refusal) -> None:
        """Let the next calls of a method fail."""
        made = [Fault(item) if isinstance(item, Refusal) else item for item in faults]
        self.faults[method] = deque(made)

    def answer(self, method: str, do: Callable[[], Any]) -> tuple[Any, Fault]:
        """What a call is answered with, and what is to become of the answer."""
        self.calls.append(method)
        faults = self.faults.get(method)
        fault = faults.popleft() if faults else Fault()
        time.sleep(fault.hang)
        if fault.refusal is None:
            return do(), fault
        if fault.done:
            do()
        raise fault.refusal

    # What tests say

    def job(self, id: str) -> Any:
        """A job, to be changed."""
        return self.jobs[f"{PARENT}/pipelineJobs/{id}"]

    def moves(self, id: str, state: str, error: str = "") -> None:
        """Put a job into a state."""
        job = self.job(id)
        job.state = types.PipelineState[f"PIPELINE_STATE_{state}"]
        if error:
            job.error = status_pb2.Status(code=code_pb2.FAILED_PRECONDITION, message=error)

    def task(
        self,
        id: str,
        name: str,
        state: str,
        error: str = "",
        code: str = "FAILED_PRECONDITION",
        inputs: dict[str, str] | None = None,
        custom_jobs: tuple[str, ...] = (),
    ) -> None:
        """Let a job have a task, or another item of it."""
        detail = types.PipelineTaskDetail(task_name=name, state=types.PipelineTaskDetail.State[state])
        detail.task_id = len(self.job(id).job_detail.task_details) + 1
        if error:
            detail.error = status_pb2.Status(code=code_pb2.Code.Value(code), message=error)
        if inputs:
            detail.execution = types.Execution(metadata={f"input:{key}": value for key, value in inputs.items()})
        if custom_jobs:
            names = [f"{PARENT}/customJobs/{job}" for job in custom_jobs]
            detail.executor_detail.container_detail.failed_main_jobs = names[:-1]
            detail.executor_detail.container_detail.main_job = names[-1]
        self.job(id).job_detail.task_details.append(detail)

    # Pipeline jobs

    def create_job(self, request: Any) -> Any:
        """CreatePipelineJob."""
        if request.parent != PARENT:
            raise Refusal("NOT_FOUND", f"{request.parent} is not there.")
        if not _JOB_ID.fullmatch(request.pipeline_job_id):
            raise invalid("pipeline_job_id", f"{request.pipeline_job_id!r} is not [a-z][-a-z0-9]{{0,127}}")
        name = f"{PARENT}/pipelineJobs/{request.pipeline_job_id}"
        if name in self.jobs:
            raise Refusal("ALREADY_EXISTS", f"{name} already exists.")
        job = types.PipelineJob(request.pipeline_job)
        _check_job(job)
        job.name, job.state = name, types.PipelineState.PIPELINE_STATE_PENDING
        self.jobs[name] = job
        return job

    def get_job(self, request: Any) -> Any:
        """GetPipelineJob."""
        if request.name not in self.jobs:
            raise Refusal("NOT_FOUND", f"The PipelineJob {request.name} does not exist.")
        return self.jobs[request.name]

    def list_jobs(self, request: Any) -> Any:
        """ListPipelineJobs, without what the list view lacks."""
        if request.parent != PARENT:
            raise Refusal("NOT_FOUND", f"{request.parent} is not there.")
        return types.ListPipelineJobsResponse(
            pipeline_jobs=[types.PipelineJob(name=name) for name in list(self.jobs)[: request.page_size or 100]]
        )

    def cancel_job(self, request: Any) -> Any:
        """CancelPipelineJob."""
        job = self.get_job(request)
        if job.state.name in ("PIPELINE_STATE_SUCCEEDED", "PIPELINE_STATE_FAILED", "PIPELINE_STATE_CANCELLED"):
            raise Refusal("FAILED_PRECONDITION", f"The PipelineJob is in state {job.state.name}.")
        job.state = types.PipelineState.PIPELINE_STATE_CANCELLING
        return Empty()

    # Schedules

    def create_schedule(self, request: Any) -> Any:
        """CreateSchedule."""
        schedule = types.Schedule(request.schedule)
        inner = schedule.create_pipeline_job_request
        if not schedule.display_name or len(schedule.display_name) > 128:
            raise invalid("schedule.display_name", "is required, of at most 128 characters")
        if not _CRON.fullmatch(schedule.cron):
            raise invalid("schedule.cron", f"{schedule.cron!r} is no cron of five fields")
        if schedule.max_concurrent_run_count < 1:
            raise invalid("schedule.max_concurrent_run_count", "is required")
        if inner.parent != request.parent or inner.pipeline_job_id:
            raise invalid("schedule.create_pipeline_job_request", "wants this parent, and no pipeline_job_id")
        _check_job(inner.pipeline_job)
        schedule.name = f"{PARENT}/schedules/{1000 + len(self.schedules)}"
        schedule.state = types.Schedule.State.ACTIVE
        self.schedules[schedule.name] = schedule
        return schedule

    def get_schedule(self, request: Any) -> Any:
        """GetSchedule."""
        found = self.schedules.get(request.name)
        if isinstance(found, int):
            self.schedules[request.name] = found - 1
            if found > 0:
                return types.Schedule(name=request.name)
        if found is None or isinstance(found, int):
            raise Refusal("NOT_FOUND", f"The Schedule {request.name} does not exist.")
        return found

    def list_schedules(self, request: Any) -> Any:
        """ListSchedules, in pages of two."""
        first = int(request.page_token or 0)
        found = [item for item in self.schedules.values() if not isinstance(item, int)]
        token = str(first + 2) if len(found) > first + 2 else ""
        return types.ListSchedulesResponse(schedules=found[first : first + 2], next_page_token=token)

    def pause_schedule(self, request: Any) -> Any:
        """PauseSchedule."""
        return self._turn(request, "ACTIVE", "PAUSED")

    def resume_schedule(self, request: Any) -> Any:
        """ResumeSchedule."""
        return self._turn(request, "PAUSED", "ACTIVE")

    def _turn(self, request: Any, before: str, after: str) -> Any:
        schedule = self.get_schedule(request)
        if schedule.state.name != before:
            raise Refusal("FAILED_PRECONDITION", f"The Schedule is in state {schedule.state.name}.")
        schedule.state = types.Schedule.State[after]
        return Empty()

    def delete_schedule(self, request: Any) -> Any:
        """DeleteSchedule."""
        self.get_schedule(request)
        self.schedules[request.name] = self.lingers
        return Operation(name=f"{PARENT}/operations/1", done=False)

    # Cloud Logging

    def list_entries(self, body: dict[str, Any]) -> dict[str, Any]:
        """entries.list, in pages of two."""
        if body["resourceNames"] != [PARENT.partition("/locations/")[0]] or body["orderBy"] != "timestamp asc":
            raise invalid("resource_names", "another project, or another order")
        found = re.fullmatch(
            r'resource\.type="ml_job" AND resource\.labels\.job_id=\(("[^"]*"(?: OR "[^"]*")*)\)'
            r'(?: AND timestamp>="([^"]+)")?',
            body["filter"],
        )
        if found is None:
            raise invalid("filter", f"Unparseable filter: {body['filter']}")
        ids = re.findall('"([^"]*)"', found[1])
        entries = [entry for id in ids for entry in self.logs.get(id, ()) if entry["timestamp"] >= (found[2] or "")]
        entries.sort(key=lambda entry: str(entry["timestamp"]))
        first = int(body.get("pageToken", 0))
        more = {"nextPageToken": str(first + 2)} if len(entries) > first + 2 else {}
        return {"entries": entries[first : first + 2], **more}


def _check_job(job: Any) -> None:
    """What Vertex AI refuses before it starts anything."""
    if len(job.display_name) > 128:
        raise invalid("pipeline_job.display_name", "has more than 128 characters")
    if len(job.labels) > 64:
        raise invalid("pipeline_job.labels", "are more than 64")
    for key, value in job.labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL.fullmatch(value):
            raise invalid("pipeline_job.labels", f"{key}={value} is no label")
    spec = MessageToDict(types.PipelineJob.pb(job).pipeline_spec)
    if spec.get("schemaVersion") != "2.1.0" or "root" not in spec:
        raise invalid("pipeline_job.pipeline_spec", "has no root, or another schema version")
    directory = job.runtime_config.gcs_output_directory
    if not directory.startswith("gs://"):
        raise invalid("pipeline_job.runtime_config.gcs_output_directory", f"{directory!r} is no gs:// URI")
    declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    given = MessageToDict(types.PipelineJob.pb(job).runtime_config).get("parameterValues", {})
    for name, value in given.items():
        if name not in declared:
            raise invalid("pipeline_job.runtime_config.parameter_values", f"{name} is not declared")
        if not _fits(declared[name]["parameterType"], value):
            kind = declared[name]["parameterType"]
            raise invalid("pipeline_job.runtime_config.parameter_values", f"{name} is no {kind}: {value!r}")
    for name, body in declared.items():
        if name not in given and not body.get("isOptional"):
            raise invalid("pipeline_job.runtime_config.parameter_values", f"{name} is missing")


def _fits(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "BOOLEAN"
    if isinstance(value, float):
        return kind == "NUMBER_DOUBLE" or (kind == "NUMBER_INTEGER" and value.is_integer())
    return isinstance(value, str) and kind == "STRING"


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
    rest = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    rest.daemon_threads = True
    state.rest_port = rest.server_port
    threading.Thread(target=rest.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield state
    finally:
        relay.close()
        rpc.stop(0).wait(5)
        rest.shutdown()
        rest.server_close()
