"""Stacks, and what their components offer. Names are loaded when they are used: listing stacks needs no models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossdock.stacks.base import (
        ArtifactStore,
        ComponentConfig,
        SecretReference,
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
    from crossdock.stacks.orchestrators import (
        CanCheckSpecs,
        CanReplay,
        CanRun,
        CanSchedule,
        NativeRun,
        NativeTask,
        Orchestrator,
        RunHandle,
        RunOptions,
        Schedule,
        Spec,
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

_BASE = {"ArtifactStore", "ComponentConfig", "SecretReference", "Stack", "StackComponent", "TaskOverrides"}
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
    import importlib

    home = "base" if name in _BASE else "containers" if name in _CONTAINERS else "orchestrators"
    return getattr(importlib.import_module(f"crossdock.stacks.{home}"), name)
