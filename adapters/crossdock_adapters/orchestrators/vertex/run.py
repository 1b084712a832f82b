"""Runs and schedules of specs on Vertex AI: what the orchestrator delegates to."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.dsl.errors import BadInput, PlatformError
from crossdock.stacks import NativeRun, RunHandle, RunOptions, Schedule, Spec, Stack
from crossdock_adapters.orchestrators._kfp_ir.names import pipeline_name
from crossdock_adapters.orchestrators.vertex import jobs
from crossdock_adapters.orchestrators.vertex.client import Refused, Vertex, log_filter

_CONSOLE = "https://console.cloud.google.com/vertex-ai/locations"
_NAME = re.compile(r"projects/([^/]+)/locations/([^/]+)/(pipelineJobs|schedules)/([^/]+)")
_PLACEHOLDER = "crossdock-placeholder"
_CONFIRM_SECONDS = 30.0
_FOLLOW_SECONDS = 5.0
_CRON_FIELD = re.compile(r"[0-9A-Za-z*/,-]+")
_ZONE = "TZ=UTC "
_LONGEST_NAME = 128


def check(spec: Spec, stack: Stack) -> None:
    """Whether a spec can be started at all; asks nobody.

    Raises:
        BadInput: it has placeholders, or a place that is no bucket of Google's.
    """
    _is_complete(spec)
    for what, url in (
        ("the stack's artifact store", stack.artifact_store.url),
        ("gcsOutputDirectory of the spec", jobs.output_directory(spec)),
    ):
        if url and not url.startswith("gs://"):
            hint = "give the stack an artifact store of flavor gcs"
            raise BadInput(f"{what} is {url!r}, and Vertex AI takes gs:// only", hint=hint, id="members-do-not-fit")


def submit(vertex: Vertex, spec: Spec, options: RunOptions) -> RunHandle:
    """Start a run; a second call with one run id starts nothing, and gives the first one's handle.

    Raises:
        BadInput: the spec or a parameter cannot be handed over, or another job has the id.
        PlatformError: Vertex AI refuses, or cannot be reached.
    """
    _is_complete(spec)
    body = jobs.job_body(spec, options, options.run)
    job = vertex.create(body, jobs.job_id(options.run))
    return RunHandle(spec.target, job.name)


def status(vertex: Vertex, handle: RunHandle) -> NativeRun:
    """How the run stands; lost where Vertex AI has no such job.

    Raises:
        PlatformError: Vertex AI refuses, or cannot be reached.
    """
    try:
        return jobs.native_run(vertex.get(handle.native_id))
    except Refused as refused:
        if refused.status != "NOT_FOUND":
            raise
        return NativeRun("lost", refused.message)


def url(handle: RunHandle) -> str | None:
    """The job in Google's console."""
    return _console(handle.native_id, "pipelines/runs")


def cancel(vertex: Vertex, handle: RunHandle) -> None:
    """Ask the job to end, and wait until Vertex AI says that it does; one that has ended is fine.

    Raises:
        PlatformError: Vertex AI refuses, cannot be reached, or goes on.
    """
    try:
        vertex.cancel(handle.native_id)
    except Refused as refused:
        if refused.status != "FAILED_PRECONDITION":
            raise
        if jobs.native_run(vertex.get(handle.native_id)).status == "running":
            raise
        return
    deadline = time.monotonic() + _CONFIRM_SECONDS
    while True:
        job = vertex.get(handle.native_id)
        if job.state.name == "PIPELINE_STATE_CANCELLING" or jobs.native_run(job).status != "running":
            return
        if time.monotonic() > deadline:
            break
        time.sleep(1)
    state = job.state.name.removeprefix("PIPELINE_STATE_")
    what = f"Vertex AI was asked to cancel the run, which is {state} after {_CONFIRM_SECONDS:.0f} seconds"
    raise PlatformError(what, hint=url(handle))


def logs(vertex: Vertex, handle: RunHandle, task: str, follow: bool = False) -> Iterator[str]:
    """What a task's custom jobs have printed, by Cloud Logging, which has it some seconds later.

    Args:
        task: our id; of a map all items, unless an index is behind it.
        follow: go on until the task has ended.

    Raises:
        BadInput: the run has no such task.
        PlatformError: Vertex AI or Cloud Logging refuses, or cannot be reached.
    """
    seen: set[str] = set()
    last = ""
    while True:
        job = vertex.get(handle.native_id)
        if not jobs.has_task(job, task):
            raise BadInput(f"the run has no task {task!r}", hint="crossdock runs show RUN", id="unknown-task")
        names, over = jobs.custom_jobs(job, task) or ([], jobs.native_run(job).status != "running")
        try:
            for entry in vertex.log(names, last) if names else ():
                last = entry.get("timestamp", last)
                key = f"{entry.get('timestamp')} {entry.get('insertId')}"
                if key not in seen:
                    seen.add(key)
                    yield _line(entry)
        except Refused as refused:
            refused.hint = f"{refused.hint}; or: {_by_gcloud(names, vertex.connection.project)}"
            raise
        if over or not follow:
            return
        time.sleep(_FOLLOW_SECONDS)


def _line(entry: Mapping[str, Any]) -> str:
    if "textPayload" in entry:
        return str(entry["textPayload"]).rstrip("\n")
    body = entry.get("jsonPayload") or entry.get("protoPayload") or {}
    message = body.get("message")
    return message.rstrip("\n") if isinstance(message, str) else json.dumps(body, ensure_ascii=False)


def _by_gcloud(names: list[str], project: str | None) -> str:
    return f"gcloud logging read '{log_filter(names)}' --project {project} --order asc"


# Schedules


def schedule(vertex: Vertex, spec: Spec, options: RunOptions, cron: str) -> Schedule:
    """Start runs of a spec by the clock, one at a time; a run that would be the second is left out.

    Raises:
        BadInput: this is no cron expression of five fields, or the spec or a parameter cannot be handed over.
        PlatformError: Vertex AI refuses, or cannot be reached.
    """
    _is_complete(spec)
    fields = cron.split()
    if len(fields) != 5 or not all(map(_CRON_FIELD.fullmatch, fields)):
        hint = "minute hour day month weekday, in UTC, such as '0 3 * * 1-5'"
        raise BadInput(f"{cron!r} is no cron expression of five fields", hint=hint, id="bad-cron")
    job = jobs.job_body(spec, options, None)
    body = {
        "displayName": options.plan.name[:_LONGEST_NAME],
        "cron": _ZONE + " ".join(fields),
        "maxConcurrentRunCount": "1",
        "createPipelineJobRequest": {"parent": vertex.connection.parent, "pipelineJob": job},
    }
    return _schedule(vertex.create_schedule(body))


def schedules(vertex: Vertex, pipeline: str | None = None) -> list[Schedule]:
    """Our schedules, of one pipeline where it is named.

    Raises:
        PlatformError: Vertex AI refuses, or cannot be reached.
    """
    found = [_schedule(item) for item in vertex.schedules() if _labels(item).get(jobs.LABEL)]
    return [item for item in found if pipeline is None or item.pipeline in (pipeline, pipeline_name(pipeline))]


def pause_schedule(vertex: Vertex, id: str) -> None:
    """Start no further runs; those that go on go on."""
    found = _ours(vertex, id)
    if found.state.name != "PAUSED":
        vertex.pause(found.name)


def resume_schedule(vertex: Vertex, id: str) -> None:
    """Start runs again, none for the time in between."""
    found = _ours(vertex, id)
    if found.state.name != "ACTIVE":
        vertex.resume(found.name)


def delete_schedule(vertex: Vertex, id: str) -> None:
    """Remove it, and wait until it is gone."""
    found = _ours(vertex, id)
    vertex.delete(found.name)
    deadline = time.monotonic() + _CONFIRM_SECONDS
    while time.monotonic() < deadline:
        try:
            vertex.schedule(found.name)
        except Refused as refused:
            if refused.status == "NOT_FOUND":
                return
            raise
        time.sleep(1)
    what = f"Vertex AI was asked to delete schedule {id!r}, which is there after {_CONFIRM_SECONDS:.0f} seconds"
    raise PlatformError(what, hint=_console(found.name, "pipelines/schedules"))


def _ours(vertex: Vertex, id: str) -> Any:
    """A schedule that we made, by its id or its resource name."""
    try:
        found = vertex.schedule(id if "/" in id else f"{vertex.connection.parent}/schedules/{id}")
    except Refused as refused:
        if refused.status != "NOT_FOUND":
            raise
        found = None
    if found is None or not _labels(found).get(jobs.LABEL):
        what = f"there is no schedule {id!r} of ours in {vertex.connection.parent}"
        raise BadInput(what, hint="crossdock schedules list", id="unknown-schedule")
    return found


def _labels(schedule: Any) -> dict[str, str]:
    return dict(schedule.create_pipeline_job_request.pipeline_job.labels)


def _schedule(found: Any) -> Schedule:
    label = _labels(found).get(jobs.LABEL, "")
    named = pipeline_name(found.display_name).startswith(label)  # else somebody has renamed it in the console
    return Schedule(
        found.name.rpartition("/")[2],
        found.display_name if named else label,
        found.cron,
        found.state.name == "PAUSED",
        _console(found.name, "pipelines/schedules"),
    )


def _console(name: str, page: str) -> str | None:
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    project, location, _, id = found.groups()
    return f"{_CONSOLE}/{location}/{page}/{id}?project={project}"


def _is_complete(spec: Spec) -> None:
    files = [name for name, text in spec.files.items() if _PLACEHOLDER in text]
    if files:
        raise BadInput(
            f"{', '.join(files)} of the spec has placeholders, which nothing can run",
            hint="name an image, and a gs:// artifact store, in the stack",
            id="placeholders",
        )
