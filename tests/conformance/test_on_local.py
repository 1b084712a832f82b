"""The conformance kit on the local orchestrator."""

from __future__ import annotations

from typing import Any

import pytest

from crossdock.stacks import Orchestrator
from crossdock.testing import OrchestratorConformance
from crossdock_adapters.orchestrators.local import LocalConfig, LocalOrchestrator


class TestLocal(OrchestratorConformance):
    @pytest.fixture
    def orchestrator(self) -> Orchestrator[Any]:
        return LocalOrchestrator("local", LocalConfig())
