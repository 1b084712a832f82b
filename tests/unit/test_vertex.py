from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import kfp_checker
import kfp_pipelines as pipelines
import pytest
from kfp_plans import random_plan, task_of
from pydantic import ValidationError

from crossdock.dsl.errors import BadInput, UnsupportedError
from crossdock.dsl.settings import Resources, Secret, Settings
from crossdock.ir import BranchScope, Feature, Gate, Input, Literal, Output, Plan, check_support
from crossdock.passes import compile_pipeline
from crossdock.stacks import ArtifactStore, Stack
from crossdock_adapters.orchestrators._kfp_ir.lists import with_lists
from crossdock_adapters.orchestrators.vertex import VertexConfig, VertexOrchestrator
from crossdock_adapters.orchestrators.vertex.features import FEATURES, RULES
from crossdock_runtime.bindings import Compare

TARGET = VertexOrchestrator("vertex", VertexConfig())


def made(plan: Plan, **config: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline spec and the job."""
    spec = VertexOrchestrator("vertex", VertexConfig(**config)).translate(plan)
    assert list(spec.files) == ["pipeline.json", "job.json"]
    return json.loads(spec.files["pipeline.json"]), json.loads(spec.files["job.json"])


def problems(plan: Plan) -> list[str]:
    return [str(problem) for problem in check_support(plan, "vertex", FEATURES, RULES)[0]]


def one(settings: Settings) -> Plan:
    return Plan("p", (task_of("a", settings=settings),))


class SomeStore(ArtifactStore[Any]):
    flavor = "some"

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    def open(self) -> Any:
        raise AssertionError("translate opens no store")


@pytest.mark.parametrize(
    "pipeline", [found for found in pipelines.WORKING if found is not pipelines.settings], ids=lambda found: found.name
)
def test_spec_keeps_every_rule(pipeline: Any) -> None:
    plan = compile_pipeline(pipeline).plan
    assert problems(plan) == []
    kfp_checker.check(made(plan)[0])


def test_the_job_is_what_the_configuration_says() -> None:
    plan = one(Settings(labels={"team": "ml"}))
    assert made(plan)[1] == {
        "displayName": "p",
        "runtimeConfig": {
            "gcsOutputDirectory": "gs://crossdock-placeholder/store/vertex",
            "failurePolicy": "PIPELINE_FAILURE_POLICY_FAIL_FAST",
        },
        "labels": {"team": "ml"},
    }
    key = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"
    _, job = made(
        Plan("p", plan.tasks, on_failure="continue"),
        pipeline_root="gs://bucket/vertex/",
        service_account="runs@p.iam.gserviceaccount.com",
        network="projects/1/global/networks/n",
        reserved_ip_ranges=["range"],
        encryption_key=key,
        labels={"cost": "x", "team": "other"},
    )
    assert job == {
        "displayName": "p",
        "runtimeConfig": {
            "gcsOutputDirectory": "gs://bucket/vertex",
            "failurePolicy": "PIPELINE_FAILURE_POLICY_FAIL_SLOW",
        },
        "labels": {"cost": "x", "team": "other"},
        "serviceAccount": "runs@p.iam.gserviceaccount.com",
        "network": "projects/1/global/networks/n",
        "reservedIpRanges": ["range"],
        "encryptionSpec": {"kmsKeyName": key},
    }


def test_a_stack_names_the_store() -> None:
    plan = one(Settings())
    spec = TARGET.translate(plan, Stack("s", TARGET, SomeStore("gs://bucket/prefix/")))
    assert f"gs://bucket/prefix/plans/{plan.digest}.json" in spec.main
    assert '"gcsOutputDirectory": "gs://bucket/prefix/vertex"' in spec.files["job.json"]
    for url in ("s3://bucket/x", "az://container/x", "file:///tmp/x"):
        with pytest.raises(BadInput, match="gs://bucket/prefix"):
            TARGET.translate(plan, Stack("s", TARGET, SomeStore(url)))
    assert VertexOrchestrator.store_schemes == ("gs",)


def test_resources_of_a_task() -> None:
    resources = Resources(cpu=2, memory="16Gi", gpu=4, gpu_type="nvidia-a100-80gb")
    spec, _ = made(one(Settings(resources=resources, env={"A": "b"}, targets={"vertex": {"cpu_limit": "4"}})))
    container = spec["deploymentSpec"]["executors"]["exec-a"]["container"]
    assert container["env"] == [{"name": "A", "value": "b"}]
    assert container["resources"] == {
        "resourceCpuRequest": "2",
        "cpuRequest": 2.0,
        "resourceMemoryRequest": "16Gi",
        "memoryRequest": 17.179869184,
        "resourceCpuLimit": "4",
        "cpuLimit": 4.0,
        "resourceMemoryLimit": "16Gi",
        "memoryLimit": 17.179869184,
        "accelerator": {
            "resourceType": "NVIDIA_A100_80GB",
            "resourceCount": "4",
            "type": "NVIDIA_A100_80GB",
            "count": "4",
        },
    }
    spec, _ = made(one(Settings(resources=Resources(gpu=1, gpu_type="tpu"))), gpu_types={"tpu": "TPU_V5_LITEPOD"})
    accelerator = spec["deploymentSpec"]["executors"]["exec-a"]["container"]["resources"]["accelerator"]
    assert accelerator["type"] == "TPU_V5_LITEPOD"


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (Resources(cpu=97), "97 cores are more than a machine has: 96"),
        (Resources(memory="700Gi"), "GB of memory are more than a machine has: 624"),
        (Resources(gpu=1, gpu_type="acme-9000"), r"(?s)acme-9000.*nvidia-l4"),
    ],
)
def test_a_machine_that_is_not_there(resources: Resources, message: str) -> None:
    plan = one(Settings(resources=resources))
    with pytest.raises(UnsupportedError, match=message):
        TARGET.translate(plan)
    made(plan, max_cpu=128, max_memory=800, gpu_types={"acme-9000": "ACME"})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(labels={"Team": "x"}), "'Team' is no Google Cloud label key"),
        (Settings(labels={"1": "x"}), "begins with a letter"),
        (Settings(labels={"team": "x" * 65}), "no Google Cloud label value"),
        (Settings(labels={"vertex-ai-pipelines-run-billing-id": "1"}), "reserved"),
        (Settings(labels={f"l{number}": "" for number in range(62)}), "62 labels: a job has at most 61"),
        (Settings(resources=Resources(gpu=3, gpu_type="nvidia-l4")), "1, 2, 4, 8, 16 accelerators"),
        (Settings(resources=Resources(gpu=1)), "no default accelerator"),
        (Settings(resources=Resources(disk="10Gi")), "size of its machine's disk"),
        (Settings(resources=Resources(shm="1Gi")), "/dev/shm"),
        (Settings(resources=Resources(spot=True)), "scheduling strategy"),
        (Settings(env={"A": "{{x}}"}), "the platform fills in"),
        (Settings(secrets={"A": Secret(env="A")}), "Secret Manager"),
        (Settings(secrets={"A": Secret(kubernetes="a/b")}), "no cluster"),
    ],
)
def test_settings_that_are_refused(settings: Settings, message: str) -> None:
    (problem,) = problems(one(settings))
    assert message in problem
    assert "hint:" in problem


def test_labels_are_those_of_all_tasks() -> None:
    plan = Plan("p", (task_of("a", settings=Settings(labels={"team": "ml"})), task_of("b")))
    (problem,) = problems(plan)
    assert "its labels are none, and those of 'a' team=ml" in problem


@pytest.mark.parametrize(
    "config",
    [
        {"pipeline_root": "s3://bucket/x"},
        {"pipeline_root": "gs://"},
        {"network": "default"},
        {"encryption_key": "key"},
        {"labels": {"Team": "x"}},
        {"location": "Europe"},
        {"project": "No Project"},
        {"volumes": []},
    ],
)
def test_configurations_that_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        VertexConfig(**config)


def test_every_feature_is_declared() -> None:
    assert set(FEATURES) == set(Feature)
    assert all(support.works or support.hint for support in FEATURES.values())


# on_failure="continue": a sub-DAG fails as a whole


def branch(*inside: Any, outside: Any) -> Plan:
    gates = {"g": Gate("g", Compare("==", Output("first", "output"), Literal(1)), "first")}
    scopes = {"g": BranchScope("g", "g", True)}
    return Plan("p", (task_of("first"), *inside, outside), gates=gates, scopes=scopes, on_failure="continue")


def reads(*sources: str) -> dict[str, Input]:
    return {f"i{source}": Input(Output(source, "output"), "int", optional=True) for source in sources}


def test_a_failure_beside_what_a_task_reads() -> None:
    a, b = (task_of(name, scope="g") for name in "ab")
    (problem,) = problems(branch(a, b, outside=task_of("z", reads("a"))))
    assert "a failure of 'b' would keep it from starting" in problem
    assert problems(branch(a, b, outside=task_of("z", reads("a", "b")))) == []
    assert problems(branch(a, task_of("b", reads("a"), scope="g"), outside=task_of("z", reads("b")))) == []


@pytest.mark.parametrize("seed", range(60))
def test_whatever_fails_stops_only_what_depends_on_it(seed: int) -> None:
    """Of the plans that are taken: a node that waits for a failed one, however far, depends on it in the plan."""
    plan = random_plan(random.Random(seed))
    plan = replace(plan, on_failure="continue")
    if problems(plan):
        return
    spec, _ = made(plan)

    def tasks_of(component: str) -> set[str]:
        body = spec["components"][component]
        if "dag" not in body:
            return {component.removeprefix("comp-")}
        nodes = body["dag"]["tasks"].values()
        return set().union(*(tasks_of(node["componentRef"]["name"]) for node in nodes))

    before: dict[str, set[str]] = {}
    counted, _ = with_lists(plan)
    for task in counted.tasks:
        upstream = counted.upstream(task)
        before[task.id] = set(upstream).union(*(before[other] for other in upstream))
    for _, component in kfp_checker.dags(spec):
        nodes = component["dag"]["tasks"]
        inside = {name: tasks_of(node["componentRef"]["name"]) for name, node in nodes.items()}
        for name, node in nodes.items():
            for other in node.get("dependentTasks", []):
                for task_id in inside[name]:
                    assert inside[other] <= before[task_id]
