"""What a Vertex AI stack says, and what a task may say about Vertex AI alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, field_validator

from crossdock.stacks import ContainerConfig, TaskOverrides

# https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs
_NETWORK = r"^projects/[^/]+/global/networks/[^/]+$"
_KEY = r"^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$"
# https://cloud.google.com/resource-manager/docs/creating-managing-projects
_PROJECT = r"^([a-z][a-z0-9.-]*:)?([a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]+)$"
_ACCOUNT = r"^[^@\s]+@[^@\s]+$"


class VertexConfig(ContainerConfig):
    """A project and a location of Vertex AI Pipelines, and what its jobs are made with.

    Attributes:
        project: id or number of the Google Cloud project; None is that of the credentials, asked for when a run starts.
        location: region of the jobs, such as `europe-west4`.
        pipeline_root: folder in Cloud Storage where Vertex AI keeps its own files, as `gs://bucket/prefix`; None is
            `vertex` in the artifact store.
        service_account: what tasks run as; None is the project's default.
        network: VPC that the tasks' machines are in, as `projects/NUMBER/global/networks/NAME`.
        reserved_ip_ranges: names of allocated ranges of that network.
        encryption_key: key of Cloud KMS, in the same location, as
            `projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY`.
        labels: of the jobs, beside those that all tasks of a pipeline share.
        gpu_types: what Vertex AI calls a `gpu_type`, over the table of its documentation: names of its enumeration
            `AcceleratorType`, such as `NVIDIA_L4`.
        max_cpu: cores of the largest machine that a task may ask for.
        max_memory: GB (10^9 bytes) likewise.
        retries: how often the platform starts a task again that ended with an error.
    """

    project: Annotated[str | None, Field(pattern=_PROJECT)] = None
    location: Annotated[str, Field(pattern="^[a-z]+-[a-z]+[0-9]+$")] = "us-central1"
    pipeline_root: str | None = None
    service_account: Annotated[str | None, Field(pattern=_ACCOUNT)] = None
    network: Annotated[str | None, Field(pattern=_NETWORK)] = None
    reserved_ip_ranges: tuple[str, ...] = ()
    encryption_key: Annotated[str | None, Field(pattern=_KEY)] = None
    labels: Mapping[str, str] = {}
    gpu_types: Mapping[str, str] = {}
    max_cpu: Annotated[int, Field(gt=0)] = 96
    max_memory: Annotated[float, Field(gt=0)] = 624
    retries: Annotated[int, Field(ge=0, le=10)] = 2

    @field_validator("pipeline_root")
    @classmethod
    def _is_in_cloud_storage(cls, root: str | None) -> str | None:
        if root is not None and (not root.startswith("gs://") or not root.removeprefix("gs://").strip("/")):
            raise ValueError("Vertex AI keeps its files in Cloud Storage only: gs://bucket/prefix")
        return root.rstrip("/") if root is not None else None

    @field_validator("labels")
    @classmethod
    def _are_labels(cls, labels: Mapping[str, str]) -> Mapping[str, str]:
        from crossdock_adapters.orchestrators.vertex.features import label_problem

        for key, value in labels.items():
            problem = label_problem(key, value)
            if problem is not None:
                raise ValueError(problem)
        return labels


class VertexOverrides(TaskOverrides):
    """`targets={"vertex": {…}}` of a step.

    Attributes:
        cpu_limit: cores, where the limit is to differ from the request.
        memory_limit: such as `16Gi`, likewise.
        accelerator: name in the enumeration `AcceleratorType`, instead of what `gpu_type` stands for.
        retries: instead of the configuration's.
    """

    cpu_limit: Annotated[str | None, Field(pattern=r"^[0-9]+(\.[0-9]+)?$")] = None
    memory_limit: Annotated[str | None, Field(pattern="^[0-9]+([KMGTPE]i?)?$")] = None
    accelerator: Annotated[str | None, Field(pattern="^[A-Z0-9_]+$")] = None
    retries: Annotated[int | None, Field(ge=0, le=10)] = None
