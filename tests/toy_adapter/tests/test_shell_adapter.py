"""What proves the adapter: the conformance kit, and a script that a person can read."""

from __future__ import annotations

from typing import Any

import pytest
from crossdock_shell import ShellConfig, ShellOrchestrator

from crossdock.stacks import Orchestrator
from crossdock.testing import RunConformance


class TestShell(RunConformance):
    runs_large_cases = False

    @pytest.fixture
    def orchestrator(self) -> Orchestrator[Any]:
        return ShellOrchestrator("shell", ShellConfig())
