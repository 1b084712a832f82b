"""Orchestrator `local`: every task on this machine, in this process or in worker processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from crossdock.ir import Feature, Level, Plan, Support, Task
from crossdock.stacks import (
    ComponentConfig,
    Orchestrator,
    RunHandle,
    RunOptions,
    Spec,
    Stack,
    TaskOverrides,
)
from crossdock_adapters.orchestrators._driven import Driven

_FULL = Support(Level.FULL)
_RUNTIME = Support(Level.RUNTIME)
_REMOTE_SECRET = "the value is provided by a platform that this machine is not"
_ELSEWHERE = Support(Level.NEVER, _REMOTE_SECRET, hint='use Secret(env="NAME") for local runs')


_UNMANAGED = Support(Level.RUNTIME, notice="not enforced: tasks share this machine")


class LocalConfig(ComponentConfig):
    """Configuration of the local orchestrator.

    Attributes:
        max_workers: tasks at once; with 1 they run in this process.
        isolation: `process` runs every task in a process of its own.
    """

    max_workers: Annotated[int, Field(ge=1)] = 1
    isolation: Literal["none", "process"] = "none"


class LocalOverrides(TaskOverrides):
    """`targets={"local": {"isolation": "process"}}` runs a task in a process of its own; None as configured."""

    isolation: Literal["none", "process"] | None = None


class LocalOrchestrator(Driven, Orchestrator[LocalConfig]):
    """Runs tasks on this machine; there is no server, and `submit` returns when the run has ended."""

    flavor = "local"
    Config = LocalConfig
    Overrides = LocalOverrides
    remote = False
    store_schemes = ("file", "s3", "gs", "az", "abfs")
    features: ClassVar[Mapping[Feature, Support]] = {
        **dict.fromkeys(Feature, _FULL),
        Feature.CONTAINER_STEP: Support(Level.RUNTIME, notice="runs on this machine, outside of its image"),
        Feature.IMAGE: Support(Level.RUNTIME, notice="not used: this environment is"),
        Feature.REQUIREMENTS: Support(Level.RUNTIME, notice="not installed: this environment is used as it is"),
        Feature.CPU: _UNMANAGED,
        Feature.MEMORY: _UNMANAGED,
        Feature.GPU: _UNMANAGED,
        Feature.DISK: _UNMANAGED,
        Feature.SHM: _UNMANAGED,
        Feature.SPOT: Support(Level.RUNTIME, notice="no effect here"),
        Feature.LABELS: Support(Level.RUNTIME, notice="kept in the plan only"),
        Feature.SECRET_KUBERNETES: _ELSEWHERE,
        Feature.SECRET_AWS: _RUNTIME,
        Feature.SECRET_GCP: _RUNTIME,
        Feature.SECRET_AZURE: _RUNTIME,
    }

    def translate(self, plan: Plan, stack: Stack | None = None) -> Spec:
        """The plan itself is what the local orchestrator runs."""
        return Spec("local", {"plan.json": plan.to_json(indent=1) + "\n"})

    def submit(self, spec: Spec, stack: Stack, options: RunOptions) -> RunHandle:
        """Run every task; returns when the run has ended."""
        from crossdock_adapters.orchestrators.local import client

        apart = frozenset(task.id for task in options.plan.tasks if self._isolation(task) == "process")
        return client.submit(stack, options, max(options.max_workers, self.config.max_workers), apart)

    def _isolation(self, task: Task) -> str:
        overrides = LocalOverrides(**task.settings.targets.get(self.flavor, {}))
        return overrides.isolation or self.config.isolation
