"""The conformance kit on Kubeflow, which translates only."""

from __future__ import annotations

from typing import Any

import pytest

from crossdock.stacks import Orchestrator
from crossdock.testing import OrchestratorConformance
from crossdock_adapters.orchestrators.kubeflow import KubeflowConfig, KubeflowOrchestrator


class TestKubeflow(OrchestratorConformance):
    @pytest.fixture
    def orchestrator(self) -> Orchestrator[Any]:
        return KubeflowOrchestrator("kubeflow", KubeflowConfig())
