"""Orchestrator `shell`: the whole pipeline as one bash script, a task a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from crossdock.ir import Plan
from crossdock.stacks import (
    CanRun,
    ComponentConfig,
    NativeRun,
    Orchestrator,
    RunHandle,
    RunOptions,
    Spec,
    Stack,
    TaskOverrides,
)
from crossdock_shell.features import FEATURES
from crossdock_shell.translate import FILE, translate

__all__ = ["ShellConfig", "ShellOrchestrator", "ShellOverrides"]


class ShellConfig(ComponentConfig):
    """Configuration.

    Attributes:
        bash: the program that runs the script.
    """

    bash: str = "bash"


class ShellOverrides(TaskOverrides):
    """`targets={"shell": {"nice": 10}}` runs a task with less priority."""

    nice: Annotated[int, Field(ge=0, le=19)] = 0


class ShellOrchestrator(Orchestrator[ShellConfig], CanRun):
    """One task after the other, each by the runtime's own command."""

    flavor = "shell"
    Config = ShellConfig
    Overrides = ShellOverrides
    features = FEATURES
    remote = False
    store_schemes = ("file",)

    def translate(self, plan: Plan, stack: Stack | None = None) -> Spec:
        """One script. The store is `$CROSSDOCK_STORE`, so that a stack changes nothing in it."""
        nice = {task.id: ShellOverrides(**task.settings.targets.get(self.flavor, {})).nice for task in plan.tasks}
        return Spec(self.flavor, {FILE: translate(plan, nice)})

    def submit(self, spec: Spec, stack: Stack, options: RunOptions) -> RunHandle:
        """Run the script; returns when it has ended."""
        from crossdock_shell import client

        return client.submit(spec.main, options.plan, stack, options, self.config.bash)

    def status(self, handle: RunHandle, stack: Stack) -> NativeRun:
        return NativeRun(handle.details["status"])

    def logs(self, handle: RunHandle, stack: Stack, task: str, follow: bool = False) -> Iterator[str]:
        """The lines of the script's output that are the task's."""
        for line in handle.details["output"].splitlines():
            if line.partition(" ")[2].startswith((f"{task} |", f"{task}:")):
                yield line

    def cancel(self, handle: RunHandle, stack: Stack) -> None:
        """A handle is given only when the script has ended, so there is nothing left to cancel."""
