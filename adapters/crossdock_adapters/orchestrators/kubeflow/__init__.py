"""Kubeflow Pipelines 2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

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
from crossdock_adapters.orchestrators._kfp_ir.checks import KFP, check, looks_like_a_spec
from crossdock_adapters.orchestrators.kubeflow import argo_size
from crossdock_adapters.orchestrators.kubeflow.config import KubeflowConfig, KubeflowOverrides
from crossdock_adapters.orchestrators.kubeflow.features import FEATURES, RULES
from crossdock_adapters.orchestrators.kubeflow.translate import translate

if TYPE_CHECKING:
    from crossdock_adapters.orchestrators.kubeflow.client import Server

__all__ = ["KubeflowConfig", "KubeflowOrchestrator", "KubeflowOverrides"]


class KubeflowOrchestrator(Orchestrator[KubeflowConfig], CanRun, CanSchedule, CanCheckSpecs):
    """Translates plans to KFP's pipeline spec, with what only Kubernetes knows in a second YAML document."""

    flavor = "kubeflow"
    extra = "kubeflow"
    Config = KubeflowConfig
    Overrides = KubeflowOverrides
    features = FEATURES
    rules = RULES
    remote = True

    def translate(self, plan: Plan, stack: Stack | None = None) -> Spec:
        """The pipeline spec, and a platform document when a task needs one: two documents of `pipeline.yaml`.

        Raises:
            BadInput: the stack's artifact store is on this machine, or an override cannot be read.
            UnsupportedError: a task asks for what neither KFP nor the configuration knows.
        """
        store = stack.artifact_store if stack is not None else None
        return Spec(self.flavor, translate(plan, self.config, store))

    def warnings(self, spec: Spec) -> Iterator[Problem]:
        """That KFP makes a workflow of the spec that nears what a cluster can keep."""
        return argo_size.warnings(spec)

    def reads(self, name: str, text: str) -> bool:
        """Whether it is KFP's pipeline spec, in JSON or YAML."""
        return looks_like_a_spec(text)

    def check_spec(self, name: str, text: str) -> list[Problem]:
        """Everything that KFP's compiler, Argo, the driver or the launcher stops at, or makes something else of."""
        problems = check(name, text, KFP)
        return problems or list(argo_size.too_large(Spec(self.flavor, {name: text})))

    def _server(self) -> Server:
        from crossdock_adapters.orchestrators.kubeflow.client import Server

        return Server(self.config, self.folder)

    def reachable(self) -> None:
        """Whether the API server answers, and lets us in.

        Raises:
            PlatformError: it does not.
            BadInput: nothing says where it is, or a secret is not here.
        """
        self._server().check()

    def preflight(self, spec: Spec, stack: Stack) -> None:
        """Whether the API server answers and lets us in, and the cluster can keep what KFP makes of the spec.

        Raises:
            PlatformError: it cannot be reached, or refuses.
            BadInput: the spec is too large, or the orchestrator lacks what a login needs.
        """
        argo_size.refuse_too_large(spec)
        self._server().check()

    def submit(self, spec: Spec, stack: Stack, options: RunOptions) -> RunHandle:
        """Upload the spec as a version of the pipeline of its name, unless it is there, and start a run of it.

        Raises:
            PlatformError: the API server cannot be reached, or refuses.
            BadInput: a parameter is none that the spec takes.
        """
        from crossdock_adapters.orchestrators.kubeflow import runs

        return runs.submit(self._server(), self.config, self.flavor, spec, options)

    def status(self, handle: RunHandle, stack: Stack) -> NativeRun:
        """How the run stands, and those of its tasks that KFP knows.

        Raises:
            PlatformError: the API server cannot be reached, or refuses.
        """
        from crossdock_adapters.orchestrators.kubeflow import runs

        return runs.status(self._server(), stack, handle)

    def url(self, handle: RunHandle, stack: Stack) -> str | None:
        """The run's page in KFP's user interface; None where the configuration names no address that people have."""
        return self._page(f"runs/details/{handle.native_id}")

    def logs(self, handle: RunHandle, stack: Stack, task: str, follow: bool = False) -> Iterator[str]:
        """What a task's pods have printed, as long as Kubernetes keeps them.

        Raises:
            PlatformError: the API server cannot be reached, or refuses.
        """
        from crossdock_adapters.orchestrators.kubeflow import runs

        return runs.logs(self._server(), stack, handle, task, follow)

    def cancel(self, handle: RunHandle, stack: Stack) -> None:
        """Ask the run to end, and see that the server has taken it; one that has ended stays as it is.

        Raises:
            PlatformError: the API server cannot be reached, or refuses.
        """
        from crossdock_adapters.orchestrators.kubeflow import runs

        runs.cancel(self._server(), handle)

    def schedule(self, spec: Spec, stack: Stack, options: RunOptions, cron: str) -> Schedule:
        """Make a recurring run, one run at a time, with no catching up; see `CanSchedule.schedule`."""
        from crossdock_adapters.orchestrators.kubeflow import schedules

        return schedules.make(self._server(), self.config, spec, options, cron, self._schedule_page)

    def schedules(self, stack: Stack, pipeline: str | None = None) -> list[Schedule]:
        """The recurring runs that we made."""
        from crossdock_adapters.orchestrators.kubeflow import schedules

        return schedules.every(self._server(), pipeline, self._schedule_page)

    def pause_schedule(self, stack: Stack, schedule: str) -> None:
        """Disable a recurring run of ours."""
        self._change(schedule, "disable")

    def resume_schedule(self, stack: Stack, schedule: str) -> None:
        """Enable a recurring run of ours."""
        self._change(schedule, "enable")

    def delete_schedule(self, stack: Stack, schedule: str) -> None:
        """Delete a recurring run of ours; its runs stay."""
        self._change(schedule, "delete")

    def _change(self, schedule: str, verb: str) -> None:
        from crossdock_adapters.orchestrators.kubeflow import schedules

        schedules.change(self._server(), schedule, verb)

    def _schedule_page(self, schedule: str) -> str | None:
        return self._page(f"recurringrun/details/{schedule}")

    def _page(self, path: str) -> str | None:
        base = self.config.ui_host or self.config.host
        if base is None:
            return None
        return f"{base if '://' in base else f'https://{base}'}".rstrip("/") + f"/#/{path}"
