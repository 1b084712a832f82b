"""The words a user writes pipelines with. Standard library only: this package is in every container."""

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
from crossdock.dsl.pipeline import Artifact, Pipeline, RunStatus, map, on_exit, one_of, pipeline, when
from crossdock.dsl.settings import Cache, Resources, Retry, Secret, Settings
from crossdock.dsl.step import InputPath, InputValue, OutputPath, Step, container_step, step

__all__ = [
    "Artifact",
    "BadInput",
    "Cache",
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
    "container_step",
    "map",
    "on_exit",
    "one_of",
    "pipeline",
    "step",
    "when",
]
