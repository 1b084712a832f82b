"""Stacks, and what their components offer."""

from crossdock.stacks.base import (
    ArtifactStore,
    CanRun,
    ComponentConfig,
    Orchestrator,
    RunHandle,
    RunOptions,
    Spec,
    Stack,
    StackComponent,
    TaskOverrides,
)

__all__ = [
    "ArtifactStore",
    "CanRun",
    "ComponentConfig",
    "Orchestrator",
    "RunHandle",
    "RunOptions",
    "Spec",
    "Stack",
    "StackComponent",
    "TaskOverrides",
]
