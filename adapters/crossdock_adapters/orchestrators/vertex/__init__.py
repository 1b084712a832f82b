"""Vertex AI Pipelines."""

from __future__ import annotations

from crossdock.ir import Plan
from crossdock.stacks import Orchestrator, Spec, Stack
from crossdock_adapters.orchestrators.vertex.config import VertexConfig, VertexOverrides
from crossdock_adapters.orchestrators.vertex.features import FEATURES, RULES
from crossdock_adapters.orchestrators.vertex.translate import translate

__all__ = ["VertexConfig", "VertexOrchestrator", "VertexOverrides"]


class VertexOrchestrator(Orchestrator[VertexConfig]):
    """Translates plans to KFP's pipeline spec as Vertex AI takes it, and to the job around it."""

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
