"""The contract of Vertex AI's pipeline and schedule services, from Google's own protobuf classes; no transport.

It refuses what the contract refuses, and starts nothing: tests say how a job goes on. Beside it, Cloud Logging's
`entries:list`. Any answer can be made to fail.

Sources: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs,
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.schedules and the messages' own comments.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.cloud.aiplatform_v1 import types
from google.longrunning.operations_pb2 import Operation
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from google.rpc import code_pb2, error_details_pb2, status_pb2

PARENT = "projects/crossdock-tests/locations/europe-west4"
JOB_ID = re.compile(r"[a-z][-a-z0-9]{0,127}")
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL = re.compile(r"[a-z0-9_-]{0,63}")
_CRON = re.compile(r"(?:(?:CRON_)?TZ=\S+ )?(\S+ ){4}\S+")


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
        if not JOB_ID.fullmatch(request.pipeline_job_id):
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
