"""The API server of Kubeflow Pipelines on loopback: its vendor's contract, and a platform that really runs the tasks.

Paths and the names of queries are those of `kfp_server_api`, bodies are its models, specs its protobufs; what those do
not know is refused. What the server itself refuses, and its words, are the backend's (`backend/src/apiserver`). A run
makes the nodes that Argo makes of it (`backend/src/v2/compiler/argocompiler`).
"""

from __future__ import annotations

import contextlib
import email
import http.server
import inspect
import json
import re
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import kfp_server_api as api
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as pb
from kfp_platform import Platform

Json = dict[str, Any]
LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Log in to Your Account</title></head><body>dex</body></html>"
ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")
_DEFAULTS = {"STRING": str, "NUMBER_INTEGER": (int, float), "NUMBER_DOUBLE": (int, float), "BOOLEAN": bool}
_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,127}$")
_SERVICES = (
    api.HealthzServiceApi,
    api.ExperimentServiceApi,
    api.PipelineServiceApi,
    api.PipelineUploadServiceApi,
    api.RunServiceApi,
    api.RecurringRunServiceApi,
)


@dataclass(frozen=True)
class Route:
    """A path of the contract: a pattern, the vendor's name of it, and the queries that it takes."""

    method: str
    pattern: re.Pattern[str]
    name: str
    queries: frozenset[str]


def _routes() -> list[Route]:
    """Read from the client that the vendor generates of its Swagger file."""
    found = []
    for service in _SERVICES:
        for name, function in inspect.getmembers(service, inspect.isfunction):
            source = inspect.getsource(function) if name.endswith("_with_http_info") else ""
            for path, method in re.findall(r"call_api\(\s*'(\S+?)', '(\w+)'", source):
                pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", re.escape(path)))
                queries = frozenset(re.findall(r"query_params.append\(\('(\w+)'", source))
                found.append(Route(method, pattern, name.removesuffix("_with_http_info"), queries))
    return found


ROUTES = _routes()


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Fault:
    """What happens to a request, so many times.

    Attributes:
        applied: the server does what it is asked for, and the answer is lost.
        cut: the connection ends; with `applied` after the work, in a log after half of it.
        seconds: of waiting before.
    """

    method: str
    path: str
    status: int = 0
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    applied: bool = False
    cut: bool = False
    seconds: float = 0.0
    times: int = 1


def strict(kind: str, body: Any) -> Any:
    """A model of a body, in which nothing is unknown."""
    model = getattr(api, kind)
    if not isinstance(body, dict):
        raise Refused(400, f"{kind} is no object")
    names = {key: name for name, key in model.attribute_map.items()}
    for key, value in body.items():
        if key not in names:
            raise Refused(400, f'proto: (line 1:2): unknown field "{key}"')
        inner = model.openapi_types[names[key]]
        if hasattr(api, inner) and hasattr(getattr(api, inner), "attribute_map") and isinstance(value, dict):
            strict(inner, value)
        elif inner in ("str", "int", "bool") and not isinstance(value, {"str": str, "int": int, "bool": bool}[inner]):
            raise Refused(400, f"proto: (line 1:2): invalid value for {inner} field {key}: {value!r}")
    return api.ApiClient()._ApiClient__deserialize(body, kind)


def check_spec(text: bytes) -> Json:
    """The documents of a spec, held to the vendor's protobufs."""
    try:
        documents = [document for document in yaml.safe_load_all(text) if document]
        spec = json_format.ParseDict(documents[0], pb.PipelineSpec())
        json_format.ParseDict(documents[0].get("deploymentSpec", {}), pb.PipelineDeploymentConfig())
        for document in documents[1:]:
            json_format.ParseDict(document, pb.PlatformSpec())
    except (yaml.YAMLError, json_format.ParseError, IndexError, AttributeError) as error:
        raise Refused(400, f"Failed to read a pipeline spec file: {error}") from None
    if spec.schema_version != "2.1.0":
        raise Refused(
            400, f"KFP only supports schema version 2.1.0, but the pipeline spec has version {spec.schema_version}"
        )
    if not spec.HasField("root") or not _NAME.match(spec.pipeline_info.name):
        raise Refused(
            400, f"pipeline's name must contain only lowercase alphanumeric characters: {spec.pipeline_info.name}"
        )
    found: Json = {"pipeline_spec": documents[0]}
    if documents[1:]:
        found["platform_spec"] = documents[1]
    return found


def check_arguments(spec: Json, arguments: Mapping[str, Any]) -> None:
    """Hold arguments to a spec, as `validatePipelineJobInputs` does."""
    declared = spec["pipeline_spec"]["root"].get("inputDefinitions", {}).get("parameters", {})
    extra = set(arguments) - set(declared)
    if extra:
        raise Refused(
            400, f"parameter(s) provided are not required or optional by the pipeline: {', '.join(sorted(extra))}"
        )
    for name, body in declared.items():
        if name not in arguments:
            if not body.get("isOptional") and "defaultValue" not in body:
                raise Refused(
                    400, f"parameter {name} is not optional, yet has neither default value nor user provided value"
                )
            continue
        value, type_ = arguments[name], body["parameterType"]
        truth = isinstance(value, bool) and type_ != "BOOLEAN"
        whole = type_ == "NUMBER_INTEGER" and isinstance(value, float) and not value.is_integer()
        if truth or whole or not isinstance(value, _DEFAULTS.get(type_, object)):
            raise Refused(
                400, f"input parameter {name} requires type {type_}, but the parameter value is not of {type_} type"
            )


class KfpServer:
    """The server.

    Attributes:
        login: a header and what it has to be; None lets everybody in.
        page: whether who is not let in gets a page, as from Dex, instead of a 401.
        faults: what happens to the next requests that fit.
        requests: method and path, with the query, of all that came.
        platform: what runs the tasks; None leaves runs to `advance`.
    """

    def __init__(self, platform: Platform | None = None, *, multi_user: bool = False) -> None:
        self.platform = platform
        self.multi_user = multi_user
        self.login: tuple[str, str] | None = None
        self.page = False
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.prefix = ""
        self.experiments: dict[str, Json] = {}
        self.pipelines: dict[str, Json] = {}
        self.versions: dict[str, Json] = {}
        self.runs: dict[str, Json] = {}
        self.recurring_runs: dict[str, Json] = {}
        self.specs: dict[str, Json] = {}
        self.texts: dict[str, bytes] = {}
        self.logs: dict[str, bytes] = {}
        self.lock = threading.RLock()

    def advance(self, run: str, state: str, message: str = "") -> None:
        """Set a run's state, as the controller does."""
        with self.lock:
            body = self.runs[run]
            body["state"] = state
            entry: Json = {"update_time": _now(), "state": state}
            if message:
                body["error"] = entry["error"] = {"code": 13, "message": message}
            body.setdefault("state_history", []).append(entry)

    def answer(self, method: str, path: str, query: Mapping[str, str], headers: Any, body: bytes) -> Json | bytes:
        """What the server says to a request."""
        path = path.removeprefix(self.prefix)
        if self.login is not None and headers.get(self.login[0]) != self.login[1]:
            if self.page:
                raise Refused(200, "page")
            raise Refused(401, "Request header error: there is no user identity header.")
        log = re.fullmatch(r"/apis/v1alpha1/runs/([^/]+)/nodes/([^/]+)/log", path)
        if log and method == "GET":
            if log[1] not in self.runs or log[2] not in self.logs:
                raise Refused(500, f"failed to open log stream: pods {log[2]!r} not found")
            return self.logs[log[2]]
        for route in ROUTES:
            found = route.pattern.fullmatch(path)
            if found and route.method == method:
                unknown = set(query) - route.queries
                assert not unknown, f"{method} {path} takes no query {unknown}"
                with self.lock:
                    does: Callable[..., Json] = getattr(self, f"_{route.name}")
                    return does({**query, **found.groupdict()}, headers, body)
        raise Refused(404, "Not Found")

    # What it does

    def _healthz_service_get_healthz(self, query: Json, headers: Any, body: bytes) -> Json:
        return {"multi_user": self.multi_user}

    def _space(self, namespace: str | None) -> str:
        if self.multi_user and not namespace:
            raise Refused(400, "Invalid input error: A namespace cannot be empty in multi-user mode")
        if not self.multi_user and namespace:
            raise Refused(400, "Invalid input error: In single-user mode, the namespace must be empty")
        if namespace == "theirs":
            raise Refused(
                403, "User 'me' is not authorized with reason: (request: &ResourceAttributes{Namespace:theirs})"
            )
        return namespace or ""

    def _experiment_service_create_experiment(self, query: Json, headers: Any, body: bytes) -> Json:
        made = _data(strict("V2beta1Experiment", json.loads(body)))
        made["namespace"] = self._space(made.get("namespace"))
        if any(item["display_name"] == made["display_name"] for item in self.experiments.values()):
            raise Refused(
                409,
                f"Already exist error: The name {made['display_name']} already exists",
            )
        return _add(self.experiments, "experiment_id", made)

    def _experiment_service_list_experiments(self, query: Json, headers: Any, body: bytes) -> Json:
        space = self._space(query.get("namespace"))
        return _page("experiments", [item for item in self.experiments.values() if item["namespace"] == space], query)

    def _pipeline_service_create_pipeline(self, query: Json, headers: Any, body: bytes) -> Json:
        made = _data(strict("V2beta1Pipeline", json.loads(body)))
        if not _NAME.match(made["name"]):
            raise Refused(400, f"Invalid input error: pipeline's name is not valid: {made['name']}")
        self._space(made.get("namespace"))
        if any(item["name"] == made["name"] for item in self.pipelines.values()):
            raise Refused(
                409, f"Already exist error: Failed to create a new pipeline. The name {made['name']} already exist"
            )
        return _add(self.pipelines, "pipeline_id", made)

    def _pipeline_service_list_pipelines(self, query: Json, headers: Any, body: bytes) -> Json:
        self._space(query.get("namespace"))
        return _page("pipelines", list(self.pipelines.values()), query)

    def _pipeline_service_delete_pipeline(self, query: Json, headers: Any, body: bytes) -> Json:
        if any(item["pipeline_id"] == query["pipeline_id"] for item in self.versions.values()):
            raise Refused(400, "the pipeline has versions")
        del self.pipelines[query["pipeline_id"]]
        return {}

    def _pipeline_service_list_pipeline_versions(self, query: Json, headers: Any, body: bytes) -> Json:
        mine = [item for item in self.versions.values() if item["pipeline_id"] == query["pipeline_id"]]
        return _page("pipeline_versions", mine, query)

    def _upload_pipeline_version(self, query: Json, headers: Any, body: bytes) -> Json:
        message = email.message_from_bytes(b"content-type: " + headers["content-type"].encode() + b"\r\n\r\n" + body)
        (part,) = message.get_payload()
        assert part.get_param("name", header="content-disposition") == "uploadfile"
        assert part.get_filename().endswith((".yaml", ".yml", ".json"))
        text = part.get_payload(decode=True)
        spec = check_spec(text)
        if query.get("pipelineid") not in self.pipelines:
            raise Refused(400, "Failed to create a pipeline version")
        if len(query["name"]) > 127:
            raise Refused(400, "PipelineVersion.Name length cannot exceed 127")
        if any(item["name"] == query["name"] for item in self.versions.values()):
            raise Refused(409, "Failed to create a pipeline version")
        made = {name: query[name] for name in ("name", "display_name")}
        _add(self.versions, "pipeline_version_id", {**made, "pipeline_id": query["pipelineid"]})
        self.specs[made_id := next(reversed(self.versions))] = spec
        self.texts[made_id] = text
        return self.versions[made_id]

    def _start(self, made: Json) -> Json:
        if not made.get("display_name"):
            raise Refused(400, "Invalid input error: The run name is empty. Please specify a valid name")
        if made.get("experiment_id") not in self.experiments:
            raise Refused(404, f"ResourceNotFoundError: Experiment {made.get('experiment_id')} not found")
        reference = made["pipeline_version_reference"]
        version = self.versions.get(reference["pipeline_version_id"])
        if version is None or version["pipeline_id"] != reference["pipeline_id"]:
            raise Refused(404, f"ResourceNotFoundError: PipelineVersion {reference['pipeline_version_id']} not found")
        spec = self.specs[reference["pipeline_version_id"]]
        check_arguments(spec, made.get("runtime_config", {}).get("parameters", {}))
        return spec

    def _run_service_create_run(self, query: Json, headers: Any, body: bytes) -> Json:
        made = _data(strict("V2beta1Run", json.loads(body)))
        spec = self._start(made)
        _add(self.runs, "run_id", {**made, "state": "PENDING", "state_history": []})
        run = next(reversed(self.runs))
        if self.platform is not None:
            threading.Thread(target=self.platform.perform, args=(self, run, spec), daemon=True).start()
        return self.runs[run]

    def _run_service_get_run(self, query: Json, headers: Any, body: bytes) -> Json:
        if query["run_id"] not in self.runs:
            raise Refused(404, f"ResourceNotFoundError: Run {query['run_id']} not found")
        return self.runs[query["run_id"]]

    def _run_service_list_runs(self, query: Json, headers: Any, body: bytes) -> Json:
        mine = [item for item in self.runs.values() if item["experiment_id"] == query.get("experiment_id")]
        return _page("runs", mine, query)

    def _run_service_terminate_run(self, query: Json, headers: Any, body: bytes) -> Json:
        run = self._run_service_get_run(query, headers, body)
        if run["state"] in ENDED:
            raise Refused(400, f"Failed to terminate run {run['run_id']}: it has already finished")
        self.advance(run["run_id"], "CANCELING")
        if self.platform is None:
            self.advance(run["run_id"], "CANCELED")
        return {}

    def _recurring_run_service_create_recurring_run(self, query: Json, headers: Any, body: bytes) -> Json:
        made = _data(strict("V2beta1RecurringRun", json.loads(body)))
        self._start(made)
        cron = made["trigger"]["cron_schedule"]["cron"]
        if len(cron.split()) != 6:
            raise Refused(
                400, f"Schedule cron is not a supported format(https://godoc.org/github.com/robfig/cron): {cron}"
            )
        if not 1 <= int(made["max_concurrency"]) <= 10:
            raise Refused(400, "The max concurrency of the recurring run is out of range. Support 1-10")
        made["status"] = {"ENABLE": "ENABLED", "DISABLE": "DISABLED"}[made["mode"]]
        return _add(self.recurring_runs, "recurring_run_id", made)

    def _recurring_run_service_list_recurring_runs(self, query: Json, headers: Any, body: bytes) -> Json:
        return _page("recurringRuns", list(self.recurring_runs.values()), query)

    def _recurring_run_service_get_recurring_run(self, query: Json, headers: Any, body: bytes) -> Json:
        found = self.recurring_runs.get(query["recurring_run_id"])
        if found is None:
            raise Refused(404, f"ResourceNotFoundError: Job {query['recurring_run_id']} not found")
        return found

    def _recurring_run_service_enable_recurring_run(self, query: Json, headers: Any, body: bytes) -> Json:
        self._recurring_run_service_get_recurring_run(query, headers, body).update(status="ENABLED", mode="ENABLE")
        return {}

    def _recurring_run_service_disable_recurring_run(self, query: Json, headers: Any, body: bytes) -> Json:
        self._recurring_run_service_get_recurring_run(query, headers, body).update(status="DISABLED", mode="DISABLE")
        return {}

    def _recurring_run_service_delete_recurring_run(self, query: Json, headers: Any, body: bytes) -> Json:
        self._recurring_run_service_get_recurring_run(query, headers, body)
        del self.recurring_runs[query["recurring_run_id"]]
        return {}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _data(model: Any) -> Json:
    found: Json = api.ApiClient().sanitize_for_serialization(model)
    return found


def _add(shelf: dict[str, Json], key: str, body: Json) -> Json:
    name = str(uuid.uuid4())
    shelf[name] = {**body, key: name, "created_at": _now()}
    return shelf[name]


def _page(key: str, items: list[Json], query: Mapping[str, str]) -> Json:
    """A page of a list: filtered, sorted, and no longer than two, so that every client has to turn pages."""
    for predicate in strict_filter(query.get("filter")):
        value = predicate["stringValue"]
        test = {"EQUALS": value.__eq__, "IS_SUBSTRING": lambda text, value=value: value in text}[predicate["operation"]]
        items = [item for item in items if test(item[predicate["key"]])]
    if query.get("sort_by", "created_at desc") != "created_at desc":
        raise Refused(400, f"Invalid input error: Invalid sorting field: {query['sort_by']}")
    items = items[::-1]
    begin = int(query.get("page_token") or 0)
    size = min(int(query.get("page_size") or 20), 2)
    found: Json = {key: items[begin : begin + size], "total_size": len(items)}
    if begin + size < len(items):
        found["next_page_token"] = str(begin + size)
    return found


def strict_filter(text: str | None) -> list[Json]:
    """The predicates of a filter; the vendor's JSON has `stringValue` for `string_value`."""
    if not text:
        return []
    body = json.loads(text)
    for predicate in body["predicates"]:
        names = {re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(): value for name, value in predicate.items()}
        strict("V2beta1Predicate", names)
        assert predicate["operation"] in vars(api.V2beta1PredicateOperation).values()
        if predicate["key"] not in ("display_name", "name", "created_at", "id"):
            raise Refused(400, f"Invalid input error: no such field: {predicate['key']}")
    return list(body["predicates"])


class _Cut(Exception):
    """The connection is to end."""


@contextlib.contextmanager
def serving(server: KfpServer) -> Iterator[str]:
    """The server on a port of loopback: its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: Any) -> None:
            pass

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            path, _, text = self.path.partition("?")
            server.requests.append((self.command, self.path))
            fault = next(
                (item for item in server.faults if item.method == self.command and re.search(item.path, path)), None
            )
            if fault is not None:
                fault.times -= 1
                if not fault.times:
                    server.faults.remove(fault)
                time.sleep(fault.seconds)
            try:
                if (
                    fault is not None
                    and not fault.applied
                    and (fault.cut or fault.status)
                    and not path.endswith("/log")
                ):
                    raise _Cut if fault.cut else Refused(fault.status, "")
                query = dict(urllib.parse.parse_qsl(text))
                answer = server.answer(self.command, urllib.parse.unquote(path), query, self.headers, body)
                if fault is not None and fault.cut and path.endswith("/log"):
                    self._send(200, answer[: len(answer) // 2], "text/plain", length=len(answer))
                    raise _Cut
                if fault is not None and (fault.cut or fault.status):
                    raise _Cut if fault.cut else Refused(fault.status, "")
                if isinstance(answer, bytes):
                    self._send(200, answer, "text/plain")
                else:
                    self._send(200, json.dumps(answer).encode(), "application/json")
            except _Cut:
                self.close_connection = True
                self.connection.close()
            except Refused as error:
                if fault is not None and error.status == fault.status:
                    kind = dict(fault.headers).get("Content-Type", "text/plain")
                    self._send(error.status, fault.body, kind, headers=fault.headers)
                elif error.status == 200:
                    self._send(200, LOGIN_PAGE, "text/html; charset=utf-8")
                else:
                    said = {"error": str(error), "code": 3, "message": str(error), "details": []}
                    self._send(error.status, json.dumps(said).encode(), "application/json")
            except AssertionError as error:
                said = {"code": 13, "message": f"the test's server: {error}"}
                self._send(418, json.dumps(said).encode(), "application/json")

        def _send(
            self,
            status: int,
            body: bytes,
            kind: str,
            length: int | None = None,
            headers: Mapping[str, str] | None = None,
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            for name, value in (headers or {}).items():
                if name != "Content-Type":
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _do  # noqa: N815 - names of http.server

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}"
    finally:
        made.shutdown()
        made.server_close()
