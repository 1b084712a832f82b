"""The conformance kit on the local orchestrator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossdock.client import Client
from crossdock.stacks import Orchestrator, Stack
from crossdock.testing import RunConformance
from crossdock_adapters.artifact_stores.local import LocalArtifactStore, LocalArtifactStoreConfig
from crossdock_adapters.orchestrators.local import LocalConfig, LocalOrchestrator


class TestLocal(RunConformance):
    @pytest.fixture
    def orchestrator(self) -> Orchestrator[Any]:
        return LocalOrchestrator("local", LocalConfig())


class TestLocalWorkers(RunConformance):
    """The same with tasks beside each other, in worker processes."""

    runs_large_cases = False

    @pytest.fixture
    def orchestrator(self) -> Orchestrator[Any]:
        return LocalOrchestrator("local", LocalConfig(max_workers=2))


STEPS = """
import os
from crossdock import pipeline, step

@step(cache=False)
def here() -> str:
    return f"{os.path.basename(os.getcwd())} {os.environ.get('CONFORMANCE_HERE')}"

@pipeline
def where() -> str:
    return here()
"""


def test_workers_follow_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps in worker processes see the folder and the environment of the run, not those of an earlier one."""
    (tmp_path / "follow.py").write_text(STEPS, encoding="utf-8")
    store = LocalArtifactStore("store", LocalArtifactStoreConfig(path=str(tmp_path / "store")))
    client = Client(Stack("workers", LocalOrchestrator("local", LocalConfig(max_workers=2)), store))
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        monkeypatch.setenv("CONFORMANCE_HERE", name)
        assert client.run(str(tmp_path / "follow.py")).outputs["here.output"].load() == f"{name} {name}"
