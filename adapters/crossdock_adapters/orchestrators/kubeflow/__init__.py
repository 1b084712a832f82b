"""Kubeflow Pipelines 2."""

from __future__ import annotations

from collections.abc import Iterator

from crossdock.dsl.errors import Problem
from crossdock.ir import Plan
from crossdock.stacks import CanCheckSpecs, Orchestrator, Spec, Stack
from crossdock_adapters.orchestrators._kfp_ir.checks import KFP, check, looks_like_a_spec
from crossdock_adapters.orchestrators.kubeflow import argo_size
from crossdock_adapters.orchestrators.kubeflow.config import KubeflowConfig, KubeflowOverrides
from crossdock_adapters.orchestrators.kubeflow.features import FEATURES, RULES
from crossdock_adapters.orchestrators.kubeflow.translate import translate

__all__ = ["KubeflowConfig", "KubeflowOrchestrator", "KubeflowOverrides"]


class KubeflowOrchestrator(Orchestrator[KubeflowConfig], CanCheckSpecs):
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
