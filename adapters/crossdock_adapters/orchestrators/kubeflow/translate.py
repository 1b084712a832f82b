"""Plan in, text of `pipeline.yaml` out: pure, no SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crossdock.ir import Plan, Task
from crossdock.stacks import ArtifactStore
from crossdock_adapters import yaml_text
from crossdock_adapters.orchestrators._kfp_ir import build, targets
from crossdock_adapters.orchestrators.kubeflow.config import KubeflowConfig, KubeflowOverrides
from crossdock_adapters.orchestrators.kubeflow.platform import FLAVOR, SCRATCH, accelerator_of, platform_of


def translate(plan: Plan, config: KubeflowConfig, store: ArtifactStore[Any] | None) -> Mapping[str, str]:
    """The files of the spec, by name: one, or for `format: json` one for each document.

    Args:
        plan: after the passes.
        config: the installation.
        store: the artifact store; None writes a placeholder.

    Raises:
        BadInput: the store is on this machine, or an override cannot be read.
        UnsupportedError: the plan has what Kubeflow cannot run.
    """
    found = documents(plan, config, store)
    if config.format == "yaml":
        return {"pipeline.yaml": yaml_text.documents(*found)}
    names = ("pipeline.json", "platform.json")
    return {name: yaml_text.json_document(body) for name, body in zip(names, found, strict=False)}


def documents(plan: Plan, config: KubeflowConfig, store: ArtifactStore[Any] | None) -> list[dict[str, Any]]:
    """The pipeline spec, and the platform document when a task needs one."""
    layout = targets.layout_of(plan, FLAVOR)
    overrides = {task.id: targets.overrides_of(task, FLAVOR, KubeflowOverrides) for task in layout.plan.tasks}
    root = targets.store_root(store, FLAVOR, "s3://…, gs://… or az://…")

    def retry(task: Task) -> dict[str, Any] | None:
        own = overrides[task.id].retries
        return targets.retry_policy(config.retries if own is None else own)

    choices = build.Choices(
        plan_url=f"{root}/plans/{plan.digest}.json",
        container=lambda task: _container(plan, task, config, overrides[task.id], store),
        retry=retry,
    )
    spec = build.build(plan, layout, choices)
    platform = {}
    for task in layout.plan.tasks:
        body = platform_of(task, config, overrides[task.id], store.secrets if store is not None else {})
        if body:
            platform[build.executor_label(layout, task)] = body
    if not platform:
        return [spec]
    return [spec, {"platforms": {"kubernetes": {"deploymentSpec": {"executors": platform}}}}]


def _container(
    plan: Plan, task: Task, config: KubeflowConfig, overrides: KubeflowOverrides, store: ArtifactStore[Any] | None
) -> dict[str, Any]:
    body: dict[str, Any] = {"image": targets.image_of(plan, task, config)}
    env = dict(task.settings.env)
    resources = task.settings.resources
    if resources is not None and resources.disk:
        env.setdefault("TMPDIR", SCRATCH)
    listed = targets.environment(env, store)
    if listed:
        body["env"] = listed
    asked: dict[str, Any] = {}
    if resources is not None:
        if resources.cpu is not None:
            asked["resourceCpuRequest"] = targets.cores(resources.cpu)
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
