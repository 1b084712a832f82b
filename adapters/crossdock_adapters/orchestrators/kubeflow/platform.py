"""What only Kubernetes knows of a task: the platform document beside the pipeline spec.

Source of the format:
https://github.com/kubeflow/pipelines/blob/master/kubernetes_platform/proto/kubernetes_executor_config.proto
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from crossdock.dsl.errors import Problem, UnsupportedError
from crossdock.dsl.settings import Resources, Settings
from crossdock.ir import Task
from crossdock.stacks import SecretReference
from crossdock_adapters.orchestrators.kubeflow.config import (
    Accelerator,
    KubeflowConfig,
    KubeflowOverrides,
    Placement,
    Toleration,
)
from crossdock_runtime.options import STORE_SECRET

FLAVOR = "kubeflow"
SCRATCH = "/mnt/crossdock-scratch"
"""Where the volume of `Resources(disk=…)` is mounted; TMPDIR says so to the task."""
_GKE_LABEL = "cloud.google.com/gke-accelerator"
# https://cloud.google.com/kubernetes-engine/docs/concepts/gpus and https://cloud.google.com/compute/docs/gpus
_GKE_ACCELERATORS = {
    "nvidia-p4": "nvidia-tesla-p4",
    "nvidia-p100": "nvidia-tesla-p100",
    "nvidia-v100": "nvidia-tesla-v100",
    "nvidia-t4": "nvidia-tesla-t4",
    "nvidia-l4": "nvidia-l4",
    "nvidia-a100-40gb": "nvidia-tesla-a100",
    "nvidia-a100-80gb": "nvidia-a100-80gb",
    "nvidia-h100-80gb": "nvidia-h100-80gb",
    "nvidia-h100-mega-80gb": "nvidia-h100-mega-80gb",
    "nvidia-h200-141gb": "nvidia-h200-141gb",
    "nvidia-b200": "nvidia-b200",
}


def accelerator_of(task: Task, config: KubeflowConfig, overrides: KubeflowOverrides) -> Accelerator:
    """How the cluster offers the task's `gpu_type`.

    Raises:
        UnsupportedError: nothing says how.
    """
    resources = task.settings.resources
    kind = resources.gpu_type if resources is not None else None
    if kind is None:
        return Accelerator()
    if kind in config.gpu_types:
        return config.gpu_types[kind]
    if kind in _GKE_ACCELERATORS:
        return Accelerator(node_selector={_GKE_LABEL: _GKE_ACCELERATORS[kind]})
    if overrides.node_selector:
        return Accelerator()
    problem = Problem(
        f"{FLAVOR}: gpu_type {kind!r} is in no table",
        task=task.id,
        hint=f"one of {', '.join(_GKE_ACCELERATORS)}; or map it in the stack's gpu_types; or give the step a "
        f'node_selector in targets={{"{FLAVOR}": …}}',
    )
    raise UnsupportedError(f"{FLAVOR} cannot place a task", (problem,))


def deadline(settings: Settings, grace: int) -> int | None:
    """Seconds after which a pod is stuck: all attempts, the waits between them, and the grace."""
    if settings.timeout is None:
        return None
    retry = settings.retry
    attempts = retry.max_attempts if retry is not None else 1
    waits = sum(retry.wait_before(attempt) for attempt in range(2, attempts + 1)) if retry is not None else 0
    return math.ceil(attempts * float(settings.timeout) + waits) + grace  # type: ignore[arg-type]


def platform_of(
    task: Task,
    config: KubeflowConfig,
    overrides: KubeflowOverrides,
    store_secrets: Mapping[str, SecretReference] | None = None,
) -> dict[str, Any]:
    """The `KubernetesExecutorConfig` of a task; empty when it needs none."""
    settings = task.settings
    resources = settings.resources
    body: dict[str, Any] = {}
    places: list[Placement] = []
    if resources is not None and resources.gpu:
        places.append(accelerator_of(task, config, overrides))
    if resources is not None and resources.spot:
        places.append(config.spot)
    places.append(Placement(node_selector=overrides.node_selector, tolerations=overrides.tolerations))
    selector = {key: value for place in places for key, value in place.node_selector.items()}
    if selector:
        body["nodeSelector"] = {"labels": dict(sorted(selector.items()))}
    tolerations = dict.fromkeys(item for place in places for item in place.tolerations)
    if tolerations:
        body["tolerations"] = [_toleration(item) for item in tolerations]
    metadata = _metadata(settings, overrides)
    if metadata:
        body["podMetadata"] = metadata
    secrets = {name: item.reference for name, item in settings.secrets.items() if item.source == "kubernetes"}
    for option, reference in (store_secrets or {}).items():
        secrets[f"{STORE_SECRET}{option.upper()}"] = reference.reference
    if secrets:  # of those in a secret manager the runtime asks
        body["secretAsEnv"] = _secrets(secrets)
    if overrides.volumes:
        body["pvcMount"] = [
            {
                **_named("pvcName", item.claim),
                "mountPath": item.mount_path,
                **({"subPath": item.sub_path} if item.sub_path else {}),
            }
            for item in overrides.volumes
        ]
    body.update(_volumes(resources, config))
    policy = overrides.image_pull_policy or config.image_pull_policy
    if policy is not None:
        body["imagePullPolicy"] = policy
    pull = dict.fromkeys((*config.image_pull_secrets, *overrides.image_pull_secrets))
    if pull:
        body["imagePullSecret"] = [_named("secretName", name) for name in pull]
    seconds = deadline(settings, config.grace)
    if seconds is not None:
        body["activeDeadlineSeconds"] = str(seconds)
    return body


def _named(field: str, name: str) -> dict[str, Any]:
    return {f"{field}Parameter": {"runtimeValue": {"constant": name}}}


def _toleration(item: Toleration) -> dict[str, Any]:
    body: dict[str, Any] = {
        "key": item.key,
        "operator": item.operator,
        "value": item.value,
        "effect": item.effect,
    }
    if item.seconds is not None:
        body["tolerationSeconds"] = str(item.seconds)
    return {key: value for key, value in body.items() if value}


def _metadata(settings: Settings, overrides: KubeflowOverrides) -> dict[str, Any]:
    labels = {**settings.labels, **overrides.labels}
    body = {"labels": _sorted(labels), "annotations": _sorted(overrides.annotations)}
    return {key: value for key, value in body.items() if value}


def _sorted(mapping: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(mapping.items()))


def _secrets(references: Mapping[str, str]) -> list[dict[str, Any]]:
    keys: dict[str, list[dict[str, str]]] = {}
    for variable, reference in sorted(references.items()):
        name, _, key = reference.partition("/")
        keys.setdefault(name, []).append({"secretKey": key, "envVar": variable})
    return [{**_named("secretName", name), "keyToEnv": pairs, "optional": False} for name, pairs in keys.items()]


def _volumes(resources: Resources | None, config: KubeflowConfig) -> Iterable[tuple[str, Any]]:
    if resources is None:
        return
    if resources.shm:
        yield (
            "emptyDirMounts",
            [
                {
                    "volumeName": "crossdock-shm",
                    "mountPath": "/dev/shm",
                    "medium": "Memory",
                    "sizeLimit": resources.shm,
                }
            ],
        )
    if resources.disk:
        kind = {"storageClassName": config.storage_class} if config.storage_class else {"defaultStorageClass": True}
        yield (
            "genericEphemeralVolume",
            [
                {
                    "volumeName": "crossdock-scratch",
                    "mountPath": SCRATCH,
                    "accessModes": ["ReadWriteOnce"],
                    "size": resources.disk,
                    **kind,
                }
            ],
        )
