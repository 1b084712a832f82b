"""The conformance kit on Vertex AI, which translates only."""

from __future__ import annotations

from typing import Any

import pytest

from crossdock.stacks import Orchestrator
from crossdock.testing import OrchestratorConformance
from crossdock_adapters.orchestrators.vertex import VertexConfig, VertexOrchestrator


class TestVertex(OrchestratorConformance):
    @pytest.fixture
    def orchestrator(self) -> Orchestrator[Any]:
        return VertexOrchestrator("vertex", VertexConfig())
