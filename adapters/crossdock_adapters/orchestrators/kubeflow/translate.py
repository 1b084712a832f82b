"""Plan in, text of `pipeline.yaml` out: pure, no SDK."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crossdock.dsl.errors import BadInput, Problem, UnsupportedError
from crossdock.ir import Plan, Program, Task
from crossdock.stacks import ArtifactStore
from crossdock_adapters import yaml_text
from crossdock_adapters.orchestrators._kfp_ir import build
from crossdock_adapters.orchestrators._kfp_ir.layout import holes, lay_out
from crossdock_adapters.orchestrators.kubeflow.config import KubeflowConfig, KubeflowOverrides
from crossdock_adapters.orchestrators.kubeflow.platform import (
    FLAVOR,
    SCRATCH,
    accelerator_of,
    overrides_of,
    platform_of,
)
from crossdock_runtime.options import STORE_OPTIONS

PLACEHOLDER_STORE = "gs://crossdock-placeholder/store"
PLACEHOLDER_IMAGE = "crossdock-placeholder/runtime:unset"


def translate(plan: Plan, config: KubeflowConfig, store: ArtifactStore[Any] | None) -> str:
    """The text of `pipeline.yaml`.

    Args:
        plan: after the passes.
        config: the installation.
        store: the artifact store; None writes a placeholder.

    Raises:
        BadInput: the store is on this machine, or an override cannot be read.
        UnsupportedError: the plan has what Kubeflow cannot run.
    """
    return yaml_text.documents(*documents(plan, config, store))


def documents(plan: Plan, config: KubeflowConfig, store: ArtifactStore[Any] | None) -> list[dict[str, Any]]:
    """The pipeline spec, and the platform document when a task needs one."""
    problems = [
        Problem("a container step: no runtime of ours is in its image", task=task.id)
        for task in plan.tasks
        if isinstance(task.code, Program)
    ]
    problems += [Problem(hole.reason, task=hole.task, hint=hole.hint) for hole in holes(plan)]
    if problems:
        raise UnsupportedError(f"{FLAVOR} cannot run pipeline {plan.name!r}", tuple(problems))
    layout = lay_out(plan)
    overrides = {task.id: overrides_of(task) for task in plan.tasks}
    options = store.options if store is not None else {}
    choices = build.Choices(
        plan_url=f"{_store(store.url if store is not None else None)}/plans/{plan.digest}.json",
        container=lambda task: _container(plan, task, config, overrides[task.id], options),
        retry=lambda task: _retry(config, overrides[task.id]),
    )
    spec = build.build(plan, layout, choices)
    platform = {}
    for task in plan.tasks:
        body = platform_of(task, config, overrides[task.id], store.secrets if store is not None else {})
        if body:
            platform[build.executor_label(layout, task)] = body
    if not platform:
        return [spec]
    return [spec, {"platforms": {"kubernetes": {"deploymentSpec": {"executors": platform}}}}]


def _store(url: str | None) -> str:
    if url is None:
        return PLACEHOLDER_STORE
    scheme, separator, _ = url.partition("://")
    if not separator or scheme in ("file", "memory"):
        raise BadInput(
            f"the artifact store {url!r} is on this machine, and Kubeflow's pods run elsewhere",
            hint="give the stack a store that both reach: s3://…, gs://… or az://…",
        )
    return url.rstrip("/")


def _container(
    plan: Plan, task: Task, config: KubeflowConfig, overrides: KubeflowOverrides, store_options: Mapping[str, str]
) -> dict[str, Any]:
    settings = task.settings
    body: dict[str, Any] = {"image": plan.image_of(task) or config.image or PLACEHOLDER_IMAGE}
    env = dict(settings.env)
    if store_options:
        env[STORE_OPTIONS] = json.dumps(dict(store_options), sort_keys=True)
    resources = settings.resources
    if resources is not None and resources.disk:
        env.setdefault("TMPDIR", SCRATCH)
    if env:
        body["env"] = [{"name": name, "value": env[name]} for name in sorted(env)]
    asked: dict[str, Any] = {}
    if resources is not None:
        if resources.cpu is not None:
            asked["resourceCpuRequest"] = f"{float(resources.cpu):.3f}".rstrip("0").rstrip(".")
        if resources.memory is not None:
            asked["resourceMemoryRequest"] = resources.memory
    cpu = overrides.cpu_limit or asked.get("resourceCpuRequest")
    memory = overrides.memory_limit or asked.get("resourceMemoryRequest")
    if cpu:
        asked["resourceCpuLimit"] = cpu
    if memory:
        asked["resourceMemoryLimit"] = memory
    if resources is not None and resources.gpu:
        kind = overrides.accelerator or accelerator_of(task, config, overrides).resource
        asked["accelerator"] = {"resourceType": kind, "resourceCount": str(resources.gpu)}
    if asked:
        body["resources"] = asked
    return body


def _retry(config: KubeflowConfig, overrides: KubeflowOverrides) -> dict[str, Any] | None:
    # KFP retries whatever ended with an error. That is safe for user code: a runtime whose attempts are spent
    # exits with the recorded code and runs nothing.
    count = config.retries if overrides.retries is None else overrides.retries
    if not count:
        return None
    return {
        "maxRetryCount": count,
        "backoffDuration": "30s",
        "backoffFactor": 2.0,
        "backoffMaxDuration": "600s",
    }
