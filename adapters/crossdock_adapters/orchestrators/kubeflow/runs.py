"""Runs of Kubeflow Pipelines: start, watch, read and end them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from crossdock.dsl.errors import BadInput, CrossdockError, PlatformError
from crossdock.ir import Parameter, Plan
from crossdock.stacks import NativeRun, NativeTask, RunHandle, RunOptions, Spec, Stack
from crossdock_adapters.orchestrators._kfp_ir.names import pipeline_name
from crossdock_adapters.orchestrators._kfp_ir.parameters import RUN
from crossdock_adapters.orchestrators.kubeflow.native import (
    RUN_STATES,
    Tasks,
    kind_of,
    message_of,
    pods_of,
    tasks_of,
)
from crossdock_runtime.parameters import native_text

if TYPE_CHECKING:
    from crossdock_adapters.orchestrators.kubeflow.client import Server
    from crossdock_adapters.orchestrators.kubeflow.config import KubeflowConfig

_LONGEST = 127
"""Of a name: https://github.com/kubeflow/pipelines/blob/master/backend/src/apiserver/validation/length.go"""
_EXACT = 2**53
_POLL_SECONDS = 2.0
_CONFIRM_SECONDS = 30.0
_CUTS = 5
_PLAN = "plan"


def submit(server: Server, config: KubeflowConfig, flavor: str, spec: Spec, options: RunOptions) -> RunHandle:
    """Start a run; see `CanRun.submit`."""
    body = start_of(server, config, spec, options, {RUN: options.run})
    body["display_name"] = f"{pipeline_name(options.plan.name)[: _LONGEST - 64]} {options.run}"
    run = server.create_run(body)
    details = {"experiment": body["experiment_id"], **body["pipeline_version_reference"], _PLAN: options.plan.digest}
    return RunHandle(flavor, run, details)


def start_of(
    server: Server, config: KubeflowConfig, spec: Spec, options: RunOptions, hidden: Mapping[str, str]
) -> dict[str, Any]:
    """What a run and a recurring run have in common; the spec is uploaded, unless it is there already.

    Raises:
        BadInput: a parameter is none that the spec takes.
        PlatformError: the platform refuses.
    """
    arguments = {**arguments_of(spec, options), **hidden}
    experiment = server.experiment()
    name = pipeline_name(options.plan.name)
    text = "\n---\n".join(spec.files.values())  # JSON has a file for each document; the server takes one
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    pipeline, version = server.version(name, f"{name[: _LONGEST - 13]}-{digest}", text)
    runtime: dict[str, Any] = {"parameters": arguments}
    if config.pipeline_root is not None:
        runtime["pipeline_root"] = config.pipeline_root
    body = {
        "experiment_id": experiment,
        "pipeline_version_reference": {"pipeline_id": pipeline, "pipeline_version_id": version},
        "runtime_config": runtime,
    }
    if config.service_account is not None:
        body["service_account"] = config.service_account
    return body


def arguments_of(spec: Spec, options: RunOptions) -> dict[str, Any]:
    """Values of the pipeline's parameters, as the spec declares them.

    Raises:
        BadInput: the spec lacks a parameter, wants another, or takes no such value.
    """
    import yaml

    document = next(yaml.load_all(spec.main, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    declared: Mapping[str, Any] = document["root"].get("inputDefinitions", {}).get("parameters", {})
    for name in options.parameters:
        if name not in declared:
            raise BadInput(f"the spec takes no parameter {name!r}", hint=_AGAIN, id="unknown-parameter")
    for name, body in declared.items():
        if name != RUN and not body.get("isOptional") and name not in options.parameters:
            raise BadInput(f"the spec wants the parameter {name!r}", hint=f"-p {name}=…", id="missing-parameter")
    return {
        name: _argument(options.plan.parameters[name], value, declared[name]["parameterType"])
        for name, value in options.parameters.items()
    }


def _argument(parameter: Parameter, value: Any, native: str) -> Any:
    if native == "STRING":
        return native_text(value, parameter)
    # Numbers travel as doubles: what these do not hold would be another number there.
    if isinstance(value, dict) or (isinstance(value, int) and abs(value) > _EXACT):
        shown = value if not isinstance(value, dict) else next(iter(value.values()))
        raise BadInput(
            f"parameter {parameter.name!r}: Kubeflow Pipelines cannot hold {shown} exactly as a {native}",
            hint="annotate the parameter as str, and convert it in a step",
            id="bad-parameter",
        )
    return value


def status(server: Server, stack: Stack, handle: RunHandle) -> NativeRun:
    """How a run stands; see `CanRun.status`."""
    try:
        run = server.run(handle.native_id)
    except PlatformError as error:
        if error.id == "platform-not-found":
            return NativeRun("lost", error.message)
        raise
    state = RUN_STATES.get(str(run.get("state")), "running")
    message = message_of(run)
    if not message and run.get("state") in ("PAUSED", "CANCELING"):
        message = str(run["state"]).lower()
    tasks = _tasks(stack, handle, run).states
    if state == "failed" and message and not any(task.state == "failed" for task in tasks.values()):
        kind = kind_of(message)
        tasks = {
            name: NativeTask("failed", kind, message) if kind and task.state in ("pending", "running") else task
            for name, task in tasks.items()
        }
    return NativeRun(state, message, tasks)


def _tasks(stack: Stack, handle: RunHandle, run: Mapping[str, Any]) -> Tasks:
    details = (run.get("run_details") or {}).get("task_details") or ()
    plan = _plan(stack, handle) if details else None
    return Tasks() if plan is None else tasks_of(plan, details)


def _plan(stack: Stack, handle: RunHandle) -> Plan | None:
    """The plan of a run; None where the store does not have it: how the run stands is known without it."""
    try:
        data = stack.artifact_store.open().read(f"plans/{handle.details[_PLAN]}.json")
        return Plan.from_document(json.loads(data))
    except (CrossdockError, KeyError, ValueError):
        return None


def cancel(server: Server, handle: RunHandle) -> None:
    """Ask a run to end, and see that the server has taken it.

    Raises:
        PlatformError: it has not.
    """
    try:
        server.terminate(handle.native_id)
    except PlatformError as error:
        if error.id != "platform-refused" or _is_running(server, handle):
            raise
        return
    until = time.monotonic() + _CONFIRM_SECONDS
    while _is_running(server, handle):
        if time.monotonic() > until:
            raise PlatformError(
                f"the run {handle.native_id} was asked to end {_CONFIRM_SECONDS:.0f} s ago, and still runs",
                hint="the controller of Argo ends its pods; `kubectl get workflows -A` says how they stand",
                id="platform-failed",
            )
        time.sleep(0.5)


def _is_running(server: Server, handle: RunHandle) -> bool:
    state = server.run(handle.native_id).get("state")
    return state not in RUN_STATES and state != "CANCELING"


def logs(server: Server, stack: Stack, handle: RunHandle, task: str, follow: bool) -> Iterator[str]:
    """Lines that a task's pods have printed, each once; see `CanRun.logs`.

    Where it is to be followed, the log is opened again from its beginning: the server gives what there is, and ends.
    """
    told: dict[str, int] = {}
    while True:
        run = server.run(handle.native_id)
        found = _tasks(stack, handle, run)
        has_ended = not follow or run.get("state") in RUN_STATES
        for pod in pods_of(found, task):
            for line in _whole_lines(server, handle.native_id, pod, told.get(pod, 0), last=has_ended):
                told[pod] = told.get(pod, 0) + 1
                yield line
        if has_ended:
            return
        time.sleep(_POLL_SECONDS)


def _whole_lines(server: Server, run: str, pod: str, skip: int, *, last: bool) -> Iterator[str]:
    """The lines of a pod's log behind the first ones; a stream that is cut is opened again, and goes on."""
    from crossdock_adapters.orchestrators.kubeflow.client import StreamCut

    cuts = 0
    while True:
        count, rest = 0, b""
        try:
            with server.pod_log(run, pod) as chunks:
                for chunk in chunks:
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        count += 1
                        if count > skip:
                            skip, cuts = count, 0
                            yield line.decode("utf-8", "replace")
        except StreamCut:
            cuts += 1
            if cuts == _CUTS:
                raise
            time.sleep(0.2 * 2**cuts)
            continue
        if rest and last:
            yield rest.decode("utf-8", "replace")
        return


_AGAIN = "the bundle was made of another pipeline: export it again"
