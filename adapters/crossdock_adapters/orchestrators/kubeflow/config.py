"""What a Kubeflow stack says, and what a task may say about Kubeflow alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from crossdock.stacks import ComponentConfig, ContainerConfig, TaskOverrides

PullPolicy = Literal["Always", "IfNotPresent", "Never"]


class Toleration(ComponentConfig):
    """A Kubernetes toleration.

    Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
    """

    key: str = ""
    operator: Literal["Exists", "Equal"] = "Equal"
    value: str = ""
    effect: Literal["", "NoSchedule", "PreferNoSchedule", "NoExecute"] = ""
    seconds: int | None = None


class Volume(ComponentConfig):
    """A persistent volume claim that exists already, and where the task sees it.

    Attributes:
        sub_path: folder of the volume to mount; empty means its root.
    """

    claim: str
    mount_path: Annotated[str, Field(pattern="^/")]
    sub_path: str = ""


class Placement(ComponentConfig):
    """Which nodes to ask for."""

    node_selector: Mapping[str, str] = {}
    tolerations: tuple[Toleration, ...] = ()


class Accelerator(Placement):
    """How a cluster offers a `gpu_type`.

    Attributes:
        resource: the extended resource that is counted.
    """

    resource: str = "nvidia.com/gpu"


_GKE_SPOT = Placement(
    node_selector={"cloud.google.com/gke-spot": "true"},
    tolerations=(Toleration(key="cloud.google.com/gke-spot", value="true", effect="NoSchedule"),),
)


class KubeflowConfig(ContainerConfig):
    """A Kubeflow Pipelines installation.

    Attributes:
        image: what tasks run in that name no image of their own; holds Python, obstore and the runtime. Where the stack
            has a container registry, what their images are built from.
        image_pull_policy: for all tasks.
        image_pull_secrets: names of Kubernetes secrets for the registry.
        gpu_types: how this cluster offers a `gpu_type`; over the default table, which is GKE's.
        spot: where spot capacity is; the default is GKE's node label.
        storage_class: of the volume that `Resources(disk=…)` makes; None takes the cluster's default.
        retries: how often the platform starts a task again whose pod was lost.
        grace: seconds that a pod may take beyond its attempts: image pull, downloads, uploads.
        format: of the spec; `json` has the platform document in a file of its own, as JSON knows one document a file.
    """

    image_pull_policy: PullPolicy | None = None
    image_pull_secrets: tuple[str, ...] = ()
    gpu_types: Mapping[str, Accelerator] = {}
    spot: Placement = _GKE_SPOT
    storage_class: str | None = None
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    grace: Annotated[int, Field(ge=0)] = 600
    format: Literal["yaml", "json"] = "yaml"


class KubeflowOverrides(TaskOverrides):
    """`targets={"kubeflow": {…}}` of a step.

    Attributes:
        node_selector: labels of the nodes to ask for, added to those that the task asks for already.
        tolerations: added likewise.
        labels: of the pod, added likewise.
        annotations: of the pod, added likewise.
        volumes: persistent volume claims to mount.
        cpu_limit: a Kubernetes quantity, where the limit is to differ from the request.
        memory_limit: likewise.
        accelerator: the extended resource that `gpu` counts, e.g. `amd.com/gpu`.
        retries: instead of the configuration's.
    """

    node_selector: Mapping[str, str] = {}
    tolerations: tuple[Toleration, ...] = ()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    volumes: tuple[Volume, ...] = ()
    image_pull_policy: PullPolicy | None = None
    image_pull_secrets: tuple[str, ...] = ()
    cpu_limit: str | None = None
    memory_limit: str | None = None
    accelerator: str | None = None
    retries: Annotated[int | None, Field(ge=0, le=10)] = None
