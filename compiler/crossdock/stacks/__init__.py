"""Stacks, and what their components offer. Names are loaded when they are used: listing stacks needs no models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossdock.stacks.base import (
        ArtifactStore,
        CanCheckSpecs,
        CanReplay,
        CanRun,
        CanSchedule,
        ComponentConfig,
        NativeRun,
        NativeTask,
        Orchestrator,
        RunHandle,
        RunOptions,
        Schedule,
        SecretReference,
        Spec,
        Stack,
        StackComponent,
        TaskOverrides,
    )
    from crossdock.stacks.containers import (
        BuildContext,
        BuiltImage,
        ContainerConfig,
        ContainerRegistry,
        ImageBuilder,
        ImageRecipe,
        Login,
        PackageIndex,
    )

__all__ = [
    "ArtifactStore",
    "BuildContext",
    "BuiltImage",
    "CanCheckSpecs",
    "CanReplay",
    "CanRun",
    "CanSchedule",
    "ComponentConfig",
    "ContainerConfig",
    "ContainerRegistry",
    "ImageBuilder",
    "ImageRecipe",
    "Login",
    "NativeRun",
    "NativeTask",
    "Orchestrator",
    "PackageIndex",
    "RunHandle",
    "RunOptions",
    "Schedule",
    "SecretReference",
    "Spec",
    "Stack",
    "StackComponent",
    "TaskOverrides",
]

_CONTAINERS = {
    "BuildContext",
    "BuiltImage",
    "ContainerConfig",
    "ContainerRegistry",
    "ImageBuilder",
    "ImageRecipe",
    "Login",
    "PackageIndex",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from crossdock.stacks import base, containers

    return getattr(containers if name in _CONTAINERS else base, name)
