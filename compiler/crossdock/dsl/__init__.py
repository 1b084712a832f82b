"""The words a user writes pipelines with. Standard library only: this package is in every container."""

from crossdock.dsl.container import ContainerStep, InputPath, InputValue, OutputPath, container_step
from crossdock.dsl.errors import (
    BadInput,
    CrossdockError,
    PlanError,
    Problem,
    RunFailed,
    StoreError,
    TraceError,
    UnsupportedError,
)
from crossdock.dsl.pipeline import Artifact, Pipeline, RunStatus, after, is_in, map, on_exit, one_of, pipeline, when
from crossdock.dsl.scratch import scratch
from crossdock.dsl.settings import Cache, Resources, Retry, Secret, Settings
from crossdock.dsl.step import Step, step

__all__ = [
    "Artifact",
    "BadInput",
    "Cache",
    "ContainerStep",
    "CrossdockError",
    "InputPath",
    "InputValue",
    "OutputPath",
    "Pipeline",
    "PlanError",
    "Problem",
    "Resources",
    "Retry",
    "RunFailed",
    "RunStatus",
    "Secret",
    "Settings",
    "Step",
    "StoreError",
    "TraceError",
    "UnsupportedError",
    "after",
    "container_step",
    "is_in",
    "map",
    "on_exit",
    "one_of",
    "pipeline",
    "scratch",
    "step",
    "when",
]
