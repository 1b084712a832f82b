"""Orchestrator `docker`: every task in a container of its own, on the Docker Engine of this machine."""

from __future__ import annotations

from crossdock.ir import Plan
from crossdock.stacks import CanReplay, Orchestrator, RunHandle, RunOptions, Spec, Stack
from crossdock_adapters.orchestrators._driven import Driven
from crossdock_adapters.orchestrators.docker.config import DockerConfig, DockerOverrides
from crossdock_adapters.orchestrators.docker.features import FEATURES, FLAVOR
from crossdock_adapters.orchestrators.docker.translate import FILE, translate
from crossdock_runtime.context import Outcome

__all__ = ["DockerConfig", "DockerOrchestrator", "DockerOverrides"]


class DockerOrchestrator(Driven, Orchestrator[DockerConfig], CanReplay):
    """Runs tasks in containers; this process drives them, and `submit` returns when the run has ended."""

    flavor = FLAVOR
    extra = "docker"
    Config = DockerConfig
    Overrides = DockerOverrides
    features = FEATURES
    remote = False
    local_images = True
    store_schemes = ("file", "s3", "gs", "az", "abfs")

    def translate(self, plan: Plan, stack: Stack | None = None) -> Spec:
        """One file, `compose.yaml`: a service for each task.

        Raises:
            UnsupportedError: a task reads a path of this machine that is not mounted.
        """
        return Spec(self.flavor, {FILE: translate(plan, self.config, stack.artifact_store if stack else None)})

    def reachable(self) -> None:
        """Whether the Docker Engine answers.

        Raises:
            PlatformError: it does not.
        """
        from crossdock_adapters.orchestrators.docker.client import Engine

        Engine()

    def preflight(self, spec: Spec, stack: Stack) -> None:
        """Whether the engine answers, has what tasks ask for, and has their images; those that it lacks are pulled.

        Raises:
            PlatformError: it cannot be reached, or an image cannot be had.
            BadInput: a task asks for more than it has.
        """
        from crossdock_adapters.orchestrators.docker import run

        run.preflight(spec, stack, self.config)

    def submit(self, spec: Spec, stack: Stack, options: RunOptions) -> RunHandle:
        """Run every task; returns when the run has ended.

        Raises:
            PlatformError: the engine cannot be reached.
        """
        from crossdock_adapters.orchestrators.docker import run

        run.submit(spec, stack, options, self.config)
        return RunHandle(self.flavor, options.run)

    def replay(self, spec: Spec, stack: Stack, options: RunOptions, task: str, index: tuple[int, ...]) -> Outcome:
        """Run one task of a spec in a container.

        Raises:
            PlatformError: the engine cannot be reached, or an image cannot be had.
        """
        from crossdock_adapters.orchestrators.docker import run

        return run.replay(spec, stack, options, self.config, task, index)
