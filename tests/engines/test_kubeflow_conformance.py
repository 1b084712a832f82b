"""The conformance kit on Kubeflow Pipelines: our specs, run as the vendor's contract says, each task a process."""

from __future__ import annotations

import time
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kfp_server
import pytest
import secret_servers
from kfp_platform import Platform

from crossdock import registry
from crossdock.passes.load import Loaded
from crossdock.stacks import Orchestrator, RunHandle, RunOptions, Spec, Stack
from crossdock.testing import Case, RunConformance
from crossdock_adapters.orchestrators.kubeflow import KubeflowConfig, KubeflowOrchestrator

ENV = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "mine", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def bucket_server() -> Iterator[str]:
    with secret_servers.moto() as url:
        yield url


class Waiting(KubeflowOrchestrator):
    """The orchestrator; a submit returns when the run has ended, which is what the kit asks about."""

    def submit(self, spec: Spec, stack: Stack, options: RunOptions) -> RunHandle:
        handle = super().submit(spec, stack, options)
        while self.status(handle, stack).status == "running":
            time.sleep(0.05)
        return handle


class TestKubeflow(RunConformance):
    runs_large_cases = False
    # Of these, tests/conformance asks the class itself; here it is runs.
    test_class = test_every_feature_has_a_support = test_models_take_no_unknown_key = None
    test_check = test_translate = test_no_sdk_is_loaded = None

    @pytest.fixture
    def orchestrator(self, tmp_path: Path) -> Iterator[Orchestrator[Any]]:
        with kfp_server.serving(kfp_server.KfpServer(Platform(ENV))) as url:
            yield Waiting("kfp", KubeflowConfig(host=url, image="python:3.11", packaging="code"))

    @pytest.fixture
    def stack(self, orchestrator: Orchestrator[Any], bucket_server: str, monkeypatch: pytest.MonkeyPatch) -> Stack:
        for name, value in ENV.items():
            monkeypatch.setenv(name, value)
        bucket = f"conformance-{uuid.uuid4().hex[:8]}"
        urllib.request.urlopen(urllib.request.Request(f"{bucket_server}/{bucket}", method="PUT")).close()
        store = registry.flavor("artifact_store", "s3")
        config = {"uri": f"s3://{bucket}", "endpoint": bucket_server, "allow_http": True, "region": "us-east-1"}
        return Stack("conformance", orchestrator, store("store", store.Config(**config)))

    def test_run(
        self,
        orchestrator: Orchestrator[Any],
        loaded: Mapping[str, Loaded],
        stack: Stack,
        scratch: str,
        run_of: Case,
    ) -> None:
        """Numbers that KFP's JSON cannot hold are refused before anything is made; all else ends as the case says."""
        if run_of.name != "parameters":
            super().test_run(orchestrator, loaded, stack, scratch, run_of)
            return
        with pytest.raises(pytest.fail.Exception, match=r"Kubeflow Pipelines cannot hold .* exactly"):
            super().test_run(orchestrator, loaded, stack, scratch, run_of)
