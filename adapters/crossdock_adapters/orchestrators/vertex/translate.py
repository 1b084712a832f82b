"""Plan in, text of `pipeline.json` and `job.json` out: pure, no SDK."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.dsl.errors import BadInput, Problem, UnsupportedError
from crossdock.dsl.settings import Resources
from crossdock.ir import Plan, Task
from crossdock.stacks import ArtifactStore
from crossdock_adapters import yaml_text
from crossdock_adapters.orchestrators._kfp_ir import build, targets
from crossdock_adapters.orchestrators._kfp_ir.names import pipeline_name
from crossdock_adapters.orchestrators.vertex.config import VertexConfig, VertexOverrides
from crossdock_adapters.orchestrators.vertex.features import FLAVOR, MOST_LABELS, shared_labels

PIPELINE = "pipeline.json"
JOB = "job.json"

# https://cloud.google.com/vertex-ai/docs/reference/rest/v1/MachineSpec#AcceleratorType
_ACCELERATORS = {
    "nvidia-p4": "NVIDIA_TESLA_P4",
    "nvidia-p100": "NVIDIA_TESLA_P100",
    "nvidia-v100": "NVIDIA_TESLA_V100",
    "nvidia-t4": "NVIDIA_TESLA_T4",
    "nvidia-l4": "NVIDIA_L4",
    "nvidia-a100-40gb": "NVIDIA_TESLA_A100",
    "nvidia-a100-80gb": "NVIDIA_A100_80GB",
    "nvidia-h100-80gb": "NVIDIA_H100_80GB",
    "nvidia-h100-mega-80gb": "NVIDIA_H100_MEGA_80GB",
    "nvidia-h200-141gb": "NVIDIA_H200_141GB",
    "nvidia-b200": "NVIDIA_B200",
    "nvidia-gb200": "NVIDIA_GB200",
    "nvidia-rtx-pro-6000": "NVIDIA_RTX_PRO_6000",
}
_GB = 1_000_000_000


def translate(plan: Plan, config: VertexConfig, store: ArtifactStore[Any] | None) -> Mapping[str, str]:
    """The two files of the spec, by name.

    Args:
        plan: after the passes.
        config: the project, and how its jobs are made.
        store: the artifact store; None writes a placeholder.

    Raises:
        BadInput: the store is not in Cloud Storage, or an override cannot be read.
        UnsupportedError: a task asks for what Vertex AI does not have.
    """
    layout = targets.layout_of(plan, FLAVOR)
    overrides = {task.id: targets.overrides_of(task, FLAVOR, VertexOverrides) for task in layout.plan.tasks}
    problems = [problem for task in plan.tasks for problem in _problems(task, config, overrides[task.id])]
    if problems:
        raise UnsupportedError(f"{FLAVOR} cannot place pipeline {plan.name!r}", tuple(problems))
    root = targets.store_root(store, FLAVOR, "gs://bucket/prefix")
    if not root.startswith("gs://"):
        raise BadInput(
            f"the artifact store {root!r} is not in Cloud Storage, and Vertex AI's tasks have no other identity",
            hint="give the stack a store that they reach: gs://bucket/prefix",
        )

    def retry(task: Task) -> dict[str, Any] | None:
        own = overrides[task.id].retries
        return targets.retry_policy(config.retries if own is None else own)

    choices = build.Choices(
        plan_url=f"{root}/plans/{plan.digest}.json",
        container=lambda task: _container(plan, task, config, overrides[task.id], store),
        retry=retry,
    )
    spec = build.build(plan, layout, choices)
    job = _job(plan, config, config.pipeline_root or f"{root}/vertex")
    return {PIPELINE: yaml_text.json_document(spec), JOB: yaml_text.json_document(job)}


def _job(plan: Plan, config: VertexConfig, root: str) -> dict[str, Any]:
    """The `PipelineJob` of a run, without what differs from run to run: parameter values, and the pipeline spec.

    Source of the format: https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs
    """
    labels = {**shared_labels(plan), **config.labels}
    if len(labels) > MOST_LABELS:
        problem = Problem(
            f"{FLAVOR}: {len(labels)} labels: a job has at most {MOST_LABELS} beside ours", hint="leave some out"
        )
        raise UnsupportedError(f"{FLAVOR} cannot run pipeline {plan.name!r}", (problem,))
    policy = "SLOW" if plan.on_failure == "continue" else "FAST"
    job: dict[str, Any] = {
        "displayName": pipeline_name(plan.name),
        "runtimeConfig": {"gcsOutputDirectory": root, "failurePolicy": f"PIPELINE_FAILURE_POLICY_FAIL_{policy}"},
    }
    if labels:
        job["labels"] = dict(sorted(labels.items()))
    if config.service_account is not None:
        job["serviceAccount"] = config.service_account
    if config.network is not None:
        job["network"] = config.network
    if config.reserved_ip_ranges:
        job["reservedIpRanges"] = list(config.reserved_ip_ranges)
    if config.encryption_key is not None:
        job["encryptionSpec"] = {"kmsKeyName": config.encryption_key}
    return job


def _problems(task: Task, config: VertexConfig, overrides: VertexOverrides) -> Iterator[Problem]:
    resources = task.settings.resources
    cpu, memory = _size(resources, overrides)
    if cpu is not None and cpu > config.max_cpu:
        yield Problem(
            f"{FLAVOR}: {cpu:g} cores are more than a machine has: {config.max_cpu}",
            task=task.id,
            hint="ask for fewer, or set the stack's max_cpu",
        )
    if memory is not None and memory > config.max_memory:
        yield Problem(
            f"{FLAVOR}: {memory:g} GB of memory are more than a machine has: {config.max_memory:g}",
            task=task.id,
            hint="ask for less, or set the stack's max_memory",
        )
    kind = resources.gpu_type if resources is not None else None
    if kind is not None and overrides.accelerator is None and kind not in {**_ACCELERATORS, **config.gpu_types}:
        yield Problem(
            f"{FLAVOR}: gpu_type {kind!r} is in no table",
            task=task.id,
            hint=f"one of {', '.join(_ACCELERATORS)}; or map it in the stack's gpu_types",
        )


def _size(resources: Resources | None, overrides: VertexOverrides) -> tuple[float | None, float | None]:
    """Cores, and memory in GB, of the limits."""
    cpu = overrides.cpu_limit or (resources.cpu if resources is not None else None)
    memory = overrides.memory_limit or (resources.memory if resources is not None else None)
    size = Resources(memory=memory).bytes_of("memory")
    return None if cpu is None else float(cpu), None if size is None else size / _GB


def _container(
    plan: Plan, task: Task, config: VertexConfig, overrides: VertexOverrides, store: ArtifactStore[Any] | None
) -> dict[str, Any]:
    body: dict[str, Any] = {"image": targets.image_of(plan, task, config)}
    listed = targets.environment(task.settings.env, store)
    if listed:
        body["env"] = listed
    asked = _resources(task.settings.resources, config, overrides)
    if asked:
        body["resources"] = asked
    return body


def _resources(resources: Resources | None, config: VertexConfig, overrides: VertexOverrides) -> dict[str, Any]:
    """Each size twice, as KFP's own compiler writes them: nothing says which of the two Vertex AI reads."""
    asked: dict[str, Any] = {}
    of_task = resources or Resources()
    for word, cpu, memory in (
        ("Request", of_task.cpu, of_task.memory),
        ("Limit", overrides.cpu_limit or of_task.cpu, overrides.memory_limit or of_task.memory),
    ):
        if cpu is not None:
            asked[f"resourceCpu{word}"] = targets.cores(cpu)
            asked[f"cpu{word}"] = float(targets.cores(cpu))
        if memory is not None:
            asked[f"resourceMemory{word}"] = str(memory)
            size = Resources(memory=memory).bytes_of("memory")
            assert size is not None
            asked[f"memory{word}"] = size / _GB
    if of_task.gpu:
        known = {**_ACCELERATORS, **config.gpu_types}
        kind, count = overrides.accelerator or known[str(of_task.gpu_type)], str(of_task.gpu)
        asked["accelerator"] = {"resourceType": kind, "resourceCount": count, "type": kind, "count": count}
    return asked
