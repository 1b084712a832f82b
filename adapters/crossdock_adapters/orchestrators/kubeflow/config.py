"""What a Kubeflow stack says, and what a task may say about Kubeflow alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from crossdock.stacks import ComponentConfig, ContainerConfig, SecretReference, TaskOverrides

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
        host: URL of the API server, without a scheme HTTPS. None is, in a pod, the installation of this cluster; else
            the kubeconfig's cluster, through the proxy of its API.
        ui_host: URL of the user interface, for links; None is `host`.
        kube_context: of the kubeconfig; None is the current one.
        system_namespace: where Kubeflow Pipelines itself is installed.
        namespace: the user's own, where the installation has several users.
        experiment: what runs are grouped in; made where it is not there.
        service_account: the Kubernetes service account of the pods; None is the installation's.
        pipeline_root: where KFP keeps what is its own; None is the installation's. Artifacts are in the stack's.
        token: sent as a bearer token.
        token_file: file that holds one, read at each call: a service account's token that Kubernetes renews.
        cookies: the `Cookie` header of a session with what is in front of Kubeflow: Dex, oauth2-proxy.
        iap_client_id: OAuth client of Google's Identity-Aware Proxy in front of Kubeflow.
        iap_other_client_id: OAuth client of the kind "desktop app", for people; None logs in as a service account.
        iap_other_client_secret: of that client.
        ca_certificate: file of the certificates that sign the server's.
        verify_tls: False takes any certificate.
        proxy: URL of an HTTP proxy on the way.
        timeout: seconds to wait for an answer.
    """

    image_pull_policy: PullPolicy | None = None
    image_pull_secrets: tuple[str, ...] = ()
    gpu_types: Mapping[str, Accelerator] = {}
    spot: Placement = _GKE_SPOT
    storage_class: str | None = None
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    grace: Annotated[int, Field(ge=0)] = 600
    format: Literal["yaml", "json"] = "yaml"
    host: Annotated[str | None, Field(pattern=r"^(https?://)?[^\s/]+(/\S*)?$")] = None
    ui_host: Annotated[str | None, Field(pattern=r"^https?://\S+$")] = None
    kube_context: str | None = None
    system_namespace: str = "kubeflow"
    namespace: str | None = None
    experiment: Annotated[str, Field(min_length=1)] = "Default"
    service_account: str | None = None
    pipeline_root: str | None = None
    token: SecretReference | None = None
    token_file: str | None = None
    cookies: SecretReference | None = None
    iap_client_id: str | None = None
    iap_other_client_id: str | None = None
    iap_other_client_secret: SecretReference | None = None
    ca_certificate: str | None = None
    verify_tls: bool = True
    proxy: str | None = None
    timeout: Annotated[int, Field(ge=1, le=600)] = 60

    @model_validator(mode="after")
    def _one_login(self) -> Self:
        given = [name for name in ("token", "token_file", "iap_client_id") if getattr(self, name) is not None]
        if len(given) > 1:
            raise PydanticCustomError("login", f"takes one of {' and '.join(given)}, which are all bearer tokens")
        if (self.iap_other_client_id is None) != (self.iap_other_client_secret is None):
            raise PydanticCustomError("login", "takes iap_other_client_id and iap_other_client_secret together")
        return self


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
