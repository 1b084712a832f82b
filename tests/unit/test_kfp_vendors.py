"""Kubeflow's and Vertex AI's specs, held to what their vendors wrote: protobuf, KFP's SDK, google-cloud-aiplatform.

Of every example, every case of the conformance kit, and two hundred plans that hypothesis makes.
"""

from __future__ import annotations

import importlib.util
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kfp_checker
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kfp_plans import random_plan

from crossdock.client import Client
from crossdock.ir import Plan, check_support
from crossdock.stacks import Orchestrator
from crossdock.testing import project
from crossdock_adapters.orchestrators.kubeflow import KubeflowConfig, KubeflowOrchestrator
from crossdock_adapters.orchestrators.vertex import VertexConfig, VertexOrchestrator
from crossdock_adapters.orchestrators.vertex.translate import _ACCELERATORS

ROOT = Path(__file__).resolve().parents[2]
KUBEFLOW = KubeflowOrchestrator("kfp", KubeflowConfig())
AS_JSON = KubeflowOrchestrator("kfp", KubeflowConfig(format="json"))
VERTEX = VertexOrchestrator("vertex", VertexConfig(labels={"team": "ml"}, encryption_key=(
    "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"), service_account="runs@p.iam.gserviceaccount.com",
    network="projects/1/global/networks/n", reserved_ip_ranges=("range",)))  # fmt: skip
HYPOTHESIS = 200


def _made() -> Iterator[Plan]:
    found: list[Plan] = []

    @settings(max_examples=HYPOTHESIS, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=False))
    def make(chance: random.Random) -> None:
        found.append(random_plan(chance))

    make()
    return iter(found)


@pytest.fixture(scope="module")
def plans() -> Mapping[str, Plan]:
    """All of them, by name."""
    client = Client()
    found = {f"example-{file.parent.name}": client.load(str(file)).plan for file in ROOT.glob("examples/*/pipeline.py")}
    found.update((f"case-{name}", loaded.plan) for name, loaded in project.loaded().items())
    made = list(_made())
    assert len(made) >= HYPOTHESIS
    return {**found, **{f"made-{number}": plan for number, plan in enumerate(made)}}


def taken(plans: Mapping[str, Plan], target: Orchestrator[Any]) -> Mapping[str, Plan]:
    found = {
        name: plan
        for name, plan in plans.items()
        if not check_support(plan, target.flavor, target.features, target.rules)[0]
    }
    assert {"example-flight_delays", "example-control_flow"} <= set(found)
    assert sum(name.startswith("made-") for name in found) > HYPOTHESIS / 2
    return found


def test_kubeflow(plans: Mapping[str, Plan], tmp_path: Path) -> None:
    """Strict protobuf parsing; KFP loads each spec and writes an equal one."""
    from google.protobuf import json_format
    from kfp import compiler, components
    from kfp.pipeline_spec import pipeline_spec_pb2 as protos

    again = tmp_path / "again.yaml"
    for name, plan in taken(plans, KUBEFLOW).items():
        text = KUBEFLOW.translate(plan).main
        found = list(yaml.load_all(text, yaml.CSafeLoader))
        assert found == [json.loads(body) for body in AS_JSON.translate(plan).files.values()], name
        json_format.ParseDict(found[0], protos.PipelineSpec())
        for document in found[1:]:
            json_format.ParseDict(document, protos.PlatformSpec())
        compiler.Compiler().compile(components.load_component_from_text(text), str(again))
        # KFP's comment on top, which is no YAML where a default has more than one line, is cut off.
        _, key, body = again.read_text().partition("\ncomponents:")
        assert list(yaml.load_all(key + body, yaml.CSafeLoader)) == found, name
        kfp_checker.check(*found)


@pytest.mark.skipif(importlib.util.find_spec("google.cloud.aiplatform") is None, reason="google-cloud-aiplatform")
def test_vertex(plans: Mapping[str, Plan], tmp_path: Path) -> None:
    """Strict protobuf parsing; `PipelineJob` is constructed offline of each spec, and holds the same pipeline."""
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2 as protos

    for name, plan in taken(plans, VERTEX).items():
        spec = VERTEX.translate(plan)
        (tmp_path / name).mkdir()
        for file, text in spec.files.items():
            (tmp_path / name / file).write_text(text, encoding="utf-8")
        body = json.loads(spec.files["pipeline.json"])
        assert body == yaml.load(spec.files["pipeline.json"], yaml.CSafeLoader), name
        json_format.ParseDict(body, protos.PipelineSpec())
        kfp_checker.check(body)
    script = Path(__file__).with_name("vertex_jobs.py")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["wrong"] == {}
    assert set(_ACCELERATORS.values()) <= set(answer["accelerators"])


def test_what_both_make_of_a_size_is_what_kfp_makes_of_it(tmp_path: Path) -> None:
    """KFP's own compiler writes the same `resources` for the same words."""
    from kfp import compiler, dsl

    from crossdock.dsl.settings import Resources
    from crossdock_adapters.orchestrators.vertex import VertexOverrides
    from crossdock_adapters.orchestrators.vertex.translate import _resources

    @dsl.container_component
    def one():  # type: ignore[no-untyped-def]
        return dsl.ContainerSpec(image="x", command=["true"])

    @dsl.pipeline(name="sizes")
    def sizes():  # type: ignore[no-untyped-def]
        task = one().set_cpu_request("0.5").set_cpu_limit("4").set_memory_request("1536Mi").set_memory_limit("16Gi")
        task.set_accelerator_type("NVIDIA_L4").set_accelerator_limit(2)

    compiler.Compiler().compile(sizes, str(tmp_path / "sizes.yaml"))
    spec = yaml.safe_load((tmp_path / "sizes.yaml").read_text())
    expected = spec["deploymentSpec"]["executors"]["exec-one"]["container"]["resources"]
    resources = Resources(cpu=0.5, memory="1.5Gi", gpu=2, gpu_type="nvidia-l4")
    assert _resources(resources, VertexConfig(), VertexOverrides(cpu_limit="4", memory_limit="16Gi")) == expected
