"""Kubeflow Pipelines 2."""

from __future__ import annotations

from crossdock.ir import Plan
from crossdock.stacks import Orchestrator, Spec, Stack
from crossdock_adapters.orchestrators.kubeflow.config import KubeflowConfig, KubeflowOverrides
from crossdock_adapters.orchestrators.kubeflow.features import FEATURES, RULES
from crossdock_adapters.orchestrators.kubeflow.translate import translate

__all__ = ["KubeflowConfig", "KubeflowOrchestrator", "KubeflowOverrides"]


class KubeflowOrchestrator(Orchestrator[KubeflowConfig]):
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
