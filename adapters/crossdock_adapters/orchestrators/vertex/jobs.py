"""A pipeline job: its body from a spec, and what its state means. Pure; Google's messages are read by their fields.

Source: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.dsl.errors import BadInput
from crossdock.stacks import NativeRun, NativeTask, RunOptions, Spec
from crossdock_adapters.orchestrators._kfp_ir.names import pipeline_name, sanitise
from crossdock_adapters.orchestrators._kfp_ir.parameters import RUN, parameter_values
from crossdock_adapters.orchestrators._kfp_ir.places import Place, inside, places

PIPELINE = "pipeline.json"
JOB = "job.json"
LABEL = "crossdock-pipeline"
"""The label by which jobs and schedules of ours are known; its value is the pipeline's name."""
_LONGEST_LABEL = 63

# PipelineState; a state that is not here goes on.
_ENDED = {
    "PIPELINE_STATE_SUCCEEDED": "succeeded",
    "PIPELINE_STATE_FAILED": "failed",
    "PIPELINE_STATE_CANCELLED": "cancelled",
}
_SAID = {
    "PIPELINE_STATE_QUEUED": "queued by Vertex AI",
    "PIPELINE_STATE_PENDING": "pending in Vertex AI",
    "PIPELINE_STATE_CANCELLING": "being cancelled by Vertex AI",
    "PIPELINE_STATE_PAUSED": "paused in Vertex AI; it can be resumed there",
}
# PipelineTaskDetail.State; SKIPPED is a hit of Vertex AI's own cache.
_TASKS = {
    "STATE_UNSPECIFIED": "pending",
    "PENDING": "pending",
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "CANCEL_PENDING": "running",
    "CANCELLING": "running",
    "CANCELLED": "cancelled",
    "FAILED": "failed",
    "SKIPPED": "succeeded",
    "NOT_TRIGGERED": "skipped",
}
_WORST_FIRST = ("failed", "cancelled", "running", "pending", "succeeded", "skipped")
# What `aiplatform.metadata.constants.PIPELINE_PARAM_PREFIX` calls a parameter of a task's execution.
_INPUT = "input:"
_EXIT_CODE = re.compile(r"non-zero status of (\d+)")
_KINDS = {10: "user exception", 12: "timeout", 20: "bad input", 137: "killed", 143: "terminated"}
"""What the runtime's exit codes say, where they say one thing; and those of the signals KILL and TERM."""


def job_id(run: str) -> str:
    """The id of a run's pipeline job, always the same: `^[a-z][-a-z0-9]{0,127}$`, and no two runs share one."""
    plain = sanitise(run)
    if plain == run:
        return f"crossdock-{run}"
    return f"crossdock-{plain}-{hashlib.sha256(run.encode()).hexdigest()[:8]}"


def job_body(spec: Spec, options: RunOptions, run: str | None) -> dict[str, Any]:
    """A `PipelineJob`, as JSON: what the spec says, and what only a run knows.

    Args:
        spec: is sent as it is.
        options: has the plan and its parameters.
        run: the run's id; None for a schedule, whose runs derive theirs.

    Raises:
        BadInput: a file of the spec is no JSON object, or a parameter cannot be handed over.
    """
    job, pipeline, plan = _json(spec, JOB), _json(spec, PIPELINE), options.plan
    name = pipeline_name(plan.name)[:_LONGEST_LABEL].rstrip("-")
    ours = {LABEL: name, "crossdock-plan": plan.digest[:_LONGEST_LABEL]}
    values = parameter_values(pipeline, plan, options.parameters)
    if run is not None:
        values[RUN] = run
        ours["crossdock-run"] = job_id(run).removeprefix("crossdock-")[-_LONGEST_LABEL:].strip("-")
    return {
        **job,
        "labels": {**job.get("labels", {}), **ours},
        "runtimeConfig": {**job.get("runtimeConfig", {}), "parameterValues": values},
        "pipelineSpec": pipeline,
    }


def output_directory(spec: Spec) -> str:
    """Where the spec lets Vertex AI keep its files; empty where it does not say."""
    return str(_json(spec, JOB).get("runtimeConfig", {}).get("gcsOutputDirectory", ""))


def _json(spec: Spec, file: str) -> dict[str, Any]:
    try:
        body = json.loads(spec.files[file])
    except (KeyError, ValueError):
        body = None
    if not isinstance(body, dict):
        hint = f"crossdock compile SOURCE --target {spec.target} -o DIR writes it again"
        raise BadInput(f"the spec's {file} is no JSON object", hint=hint, id="bad-spec")
    return body


def native_run(job: Any) -> NativeRun:
    """How a `PipelineJob` stands."""
    message = " ".join(job.error.message.split()) or _SAID.get(job.state.name, "")
    tasks = {key: _worst([native for native, _ in found]) for key, found in _tasks(job).items()}
    return NativeRun(_ENDED.get(job.state.name, "running"), message, tasks)


def custom_jobs(job: Any, task: str) -> tuple[list[str], bool] | None:
    """Ids of the custom jobs of a task, all attempts and items, in order; and whether it has ended.

    Args:
        task: our id; one of an item has its index behind it, `task.0.3`.

    Returns:
        None where the job knows no such task yet.
    """
    found: list[tuple[NativeTask, Any]] = []
    for key, tasks in _tasks(job).items():
        if key == task or key.startswith(f"{task}."):
            found += tasks
    if not found:
        return None
    names: list[str] = []
    for _, detail in found:
        container = detail.executor_detail.container_detail if detail is not None else None
        if container is not None:
            names += [*container.failed_main_jobs, container.main_job]
    over = job.state.name in _ENDED or all(native.state not in ("pending", "running") for native, _ in found)
    return [name.rpartition("/")[2] for name in names if name], over


def has_task(job: Any, task: str) -> bool:
    """Whether the job's own spec has a task of ours, whichever item is named."""
    known = {place.task for place in places(_spec_of(job)).values()}
    return task in known or re.sub(r"(\.\d+)+$", "", task) in known


def _tasks(job: Any) -> dict[str, list[tuple[NativeTask, Any]]]:
    """Native tasks by our keys, with their details; a task has several where its item is not told."""
    spec = _spec_of(job)
    known = places(spec)
    found: dict[str, list[tuple[NativeTask, Any]]] = {}
    for detail in job.job_detail.task_details:
        place = known.get(detail.task_name)
        if place is not None:
            found.setdefault(_key(place, detail), []).append((_native(detail), detail))
    for key in _not_triggered(job, spec, known):
        found.setdefault(key, [(NativeTask("skipped"), None)])
    return found


def _spec_of(job: Any) -> Mapping[str, Any]:
    from google.protobuf.json_format import MessageToDict

    raw = type(job).pb(job)
    body: Mapping[str, Any] = MessageToDict(raw.pipeline_spec)
    return body if "root" in body else {"root": {}, "components": {}, "deploymentSpec": {"executors": {}}}


def _key(place: Place, detail: Any) -> str:
    inputs = detail.execution.metadata
    index = [inputs.get(f"{_INPUT}{name}") if inputs is not None else None for name in place.items]
    if not index or None in index:
        return place.task
    return ".".join([place.task, *(str(item) for item in index)])


def _not_triggered(job: Any, spec: Mapping[str, Any], known: Mapping[str, Place]) -> Iterator[str]:
    """Tasks below a condition that did not hold: Vertex AI tells the condition only."""
    for detail in job.job_detail.task_details:
        if detail.state.name == "NOT_TRIGGERED":
            for name in inside(spec, detail.task_name):
                if name in known and not known[name].items:
                    yield known[name].task


def _native(detail: Any) -> NativeTask:
    state = _TASKS.get(detail.state.name, "running")
    message = " ".join(detail.error.message.split())
    return NativeTask(state, _kind(state, detail.error.code, message), message)


def _kind(state: str, code: int, message: str) -> str:
    if state != "failed":
        return "cancelled" if state == "cancelled" else ""
    if re.search(r"out[ -]of[ -]memory", message, re.IGNORECASE):
        return "out of memory"
    ended = _EXIT_CODE.search(message)
    if ended:
        return _KINDS.get(int(ended.group(1)), "")
    return "timeout" if code == 4 else ""  # google.rpc.Code.DEADLINE_EXCEEDED


def _worst(tasks: list[NativeTask]) -> NativeTask:
    return min(tasks, key=lambda task: _WORST_FIRST.index(task.state))
