"""Vertex AI Pipelines."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from crossdock.dsl.errors import Problem
from crossdock.ir import Plan
from crossdock.stacks import (
    CanCheckSpecs,
    CanRun,
    CanSchedule,
    NativeRun,
    Orchestrator,
    RunHandle,
    RunOptions,
    Schedule,
    Spec,
    Stack,
)
from crossdock_adapters.orchestrators._kfp_ir.checks import VERTEX, check, looks_like_a_spec
from crossdock_adapters.orchestrators.vertex import run
from crossdock_adapters.orchestrators.vertex.client import Vertex
from crossdock_adapters.orchestrators.vertex.config import VertexConfig, VertexOverrides
from crossdock_adapters.orchestrators.vertex.features import FEATURES, RULES
from crossdock_adapters.orchestrators.vertex.translate import translate

__all__ = ["VertexConfig", "VertexOrchestrator", "VertexOverrides"]


class VertexOrchestrator(Orchestrator[VertexConfig], CanCheckSpecs, CanRun, CanSchedule):
    """Translates plans to KFP's pipeline spec as Vertex AI takes it, and to the job around it; runs them there."""

    flavor = "vertex"
    extra = "vertex"
    Config = VertexConfig
    Overrides = VertexOverrides
    features = FEATURES
    rules = RULES
    remote = True
    store_schemes = ("gs",)

    def translate(self, plan: Plan, stack: Stack | None = None) -> Spec:
        """Two files: `pipeline.json`, the pipeline spec, and `job.json`, the `PipelineJob` that is made of it.

        Raises:
            BadInput: the stack's artifact store is not in Cloud Storage, or an override cannot be read.
            UnsupportedError: a task asks for what Vertex AI does not have.
        """
        store = stack.artifact_store if stack is not None else None
        return Spec(self.flavor, translate(plan, self.config, store))

    def reads(self, name: str, text: str) -> bool:
        """Whether it is KFP's pipeline spec."""
        return looks_like_a_spec(text)

    def check_spec(self, name: str, text: str) -> list[Problem]:
        """Everything that Vertex AI stops at, or makes something else of."""
        return check(name, text, VERTEX)

    @functools.cached_property
    def _vertex(self) -> Vertex:
        return Vertex(self.config)

    def reachable(self) -> None:
        """Whether somebody is logged in, and project and location answer.

        Raises:
            PlatformError: they do not.
        """
        self._vertex.answers()

    def preflight(self, spec: Spec, stack: Stack) -> None:
        run.check(spec, stack)
        self.reachable()

    def submit(self, spec: Spec, stack: Stack, options: RunOptions) -> RunHandle:
        return run.submit(self._vertex, spec, options)

    def status(self, handle: RunHandle, stack: Stack) -> NativeRun:
        return run.status(self._vertex, handle)

    def url(self, handle: RunHandle, stack: Stack) -> str | None:
        return run.url(handle)

    def logs(self, handle: RunHandle, stack: Stack, task: str, follow: bool = False) -> Iterator[str]:
        return run.logs(self._vertex, handle, task, follow)

    def cancel(self, handle: RunHandle, stack: Stack) -> None:
        run.cancel(self._vertex, handle)

    def schedule(self, spec: Spec, stack: Stack, options: RunOptions, cron: str) -> Schedule:
        return run.schedule(self._vertex, spec, options, cron)

    def schedules(self, stack: Stack, pipeline: str | None = None) -> list[Schedule]:
        return run.schedules(self._vertex, pipeline)

    def pause_schedule(self, stack: Stack, schedule: str) -> None:
        run.pause_schedule(self._vertex, schedule)

    def resume_schedule(self, stack: Stack, schedule: str) -> None:
        run.resume_schedule(self._vertex, schedule)

    def delete_schedule(self, stack: Stack, schedule: str) -> None:
        run.delete_schedule(self._vertex, schedule)
