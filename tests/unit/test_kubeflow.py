from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import kfp_checker
import kfp_pipelines as pipelines
import pytest
import yaml
from kfp_plans import random_plan, task_of

from crossdock.dsl.errors import BadInput, UnsupportedError
from crossdock.dsl.pipeline import Pipeline
from crossdock.dsl.settings import Resources, Settings
from crossdock.ir import (
    BranchScope,
    Feature,
    Input,
    Output,
    Plan,
    check_support,
)
from crossdock.passes import compile_pipeline
from crossdock.review.check import override_problems
from crossdock.stacks import ArtifactStore, Stack
from crossdock_adapters import yaml_text as text
from crossdock_adapters.orchestrators._kfp_ir.parameters import root_inputs
from crossdock_adapters.orchestrators.kubeflow import KubeflowConfig, KubeflowOrchestrator
from crossdock_adapters.orchestrators.kubeflow.features import FEATURES, RULES
from crossdock_adapters.orchestrators.kubeflow.translate import documents
from crossdock_runtime.parameters import parse_native

TARGET = KubeflowOrchestrator("kfp", KubeflowConfig())


def plan_of(pipeline: Pipeline[Any, Any]) -> Plan:
    return compile_pipeline(pipeline).plan


def spec_of(pipeline: Pipeline[Any, Any], **config: Any) -> tuple[dict[str, Any], dict[str, Any] | None]:
    spec = KubeflowOrchestrator("kfp", KubeflowConfig(**config)).translate(plan_of(pipeline))
    assert list(spec.files) == ["pipeline.yaml"]
    found = list(yaml.safe_load_all(spec.main))
    return found[0], found[1] if len(found) > 1 else None


def problems_of(pipeline: Pipeline[Any, Any]) -> list[str]:
    problems, _ = check_support(plan_of(pipeline), "kubeflow", TARGET.features, TARGET.rules)
    return [str(problem) for problem in problems]


working = pytest.mark.parametrize("pipeline", pipelines.WORKING, ids=lambda found: found.name)


@working
def test_spec_keeps_every_rule_of_the_backend(pipeline: Pipeline[Any, Any]) -> None:
    assert problems_of(pipeline) == []
    kfp_checker.check(*spec_of(pipeline))


@working
def test_text_is_the_documents(pipeline: Pipeline[Any, Any]) -> None:
    plan = plan_of(pipeline)
    found = list(yaml.safe_load_all(TARGET.translate(plan).main))
    assert found == documents(plan, TARGET.config, None)


@working
def test_protos_take_it_strictly(pipeline: Pipeline[Any, Any]) -> None:
    from google.protobuf import json_format
    from kfp.kubernetes import kubernetes_executor_config_pb2 as kubernetes
    from kfp.pipeline_spec import pipeline_spec_pb2 as protos

    spec, platform = spec_of(pipeline)
    json_format.ParseDict(spec, protos.PipelineSpec())
    json_format.ParseDict(spec["deploymentSpec"], protos.PipelineDeploymentConfig())
    if platform is not None:
        json_format.ParseDict(platform, protos.PlatformSpec())
        for body in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
            json_format.ParseDict(body, kubernetes.KubernetesExecutorConfig())


@working
def test_kfp_loads_it_and_writes_it_again(pipeline: Pipeline[Any, Any], tmp_path: Path) -> None:
    from kfp import compiler, components

    text = TARGET.translate(plan_of(pipeline)).main
    component = components.load_component_from_text(text)
    compiler.Compiler().compile(component, str(tmp_path / "again.yaml"))
    assert list(yaml.safe_load_all((tmp_path / "again.yaml").read_text())) == list(yaml.safe_load_all(text))


def test_a_task_is_one_constant_command() -> None:
    plan = plan_of(pipelines.chain)
    spec, platform = spec_of(pipelines.chain)
    assert platform is None
    assert spec["deploymentSpec"]["executors"]["exec-inc"] == {
        "container": {
            "image": "crossdock-placeholder/runtime:unset",
            "command": ["python", "-m", "crossdock_runtime"],
            "args": [
                "--contract", "1",
                "--plan", f"gs://crossdock-placeholder/store/plans/{plan.digest}.json",
                "--task", "inc",
                "--run", "{{$.inputs.parameters['crossdock_run']}}",
                "--native-id", "{{$.inputs.parameters['crossdock-native-id']}}",
                "--param", "n={{$.inputs.parameters['n']}}",
            ],
        }
    }  # fmt: skip
    node = spec["root"]["dag"]["tasks"]["inc-2"]
    assert node["dependentTasks"] == ["inc"]
    assert node["inputs"]["parameters"] == {
        "crossdock_run": {"componentInputParameter": "crossdock_run"},
        "crossdock-native-id": {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}},
    }
    assert node["retryPolicy"]["maxRetryCount"] == 2


def test_parameters_are_native_only_where_they_stay_exact() -> None:
    spec, _ = spec_of(pipelines.parameters)
    found = spec["root"]["inputDefinitions"]["parameters"]
    assert found.pop("n") == {"parameterType": "NUMBER_INTEGER"}
    assert all(body["isOptional"] for body in found.values())
    assert {name: (body["parameterType"], body["defaultValue"]) for name, body in found.items()} == {
        "y": ("BOOLEAN", True),
        "f": ("NUMBER_DOUBLE", 1e300),
        "text": ("STRING", "a: {{b}} # 'c'"),
        "colour": ("STRING", '{"$enum":"kfp_pipelines:Colour","name":"RED"}'),
        "maybe": ("STRING", "null"),
        "given": ("STRING", "null and void"),
        "pair": ("STRING", '{"$tuple":[1,2]}'),
        "big": ("STRING", str(2**70)),
        "nan": ("STRING", "nan"),
        "data": ("STRING", "s3://bucket/key"),
        "crossdock_run": ("STRING", ""),
    }
    args = spec["deploymentSpec"]["executors"]["exec-show-2"]["container"]["args"]
    assert [word.partition("=")[0] for word in args[args.index("--param") + 1 :: 2]] == [
        "n", "nan", "y", "text", "colour", "given", "big",
    ]  # fmt: skip


def test_the_runtime_reads_what_parameters_are_written_as() -> None:
    plan = plan_of(pipelines.parameters)
    native = root_inputs(plan.parameters)
    for name, item in plan.parameters.items():
        if not item.required:
            default = native[name]["defaultValue"]
            text = default if isinstance(default, str) else json.dumps(default)
            assert parse_native(text, item) == item.default, name


def test_names_are_kubernetes_names_and_unique() -> None:
    spec, _ = spec_of(pipelines.odd_names)
    assert spec["pipelineInfo"]["name"] == "odd-name"
    assert list(spec["root"]["dag"]["tasks"]) == ["my-task", "my-task-b", "my-task-c"]
    args = spec["deploymentSpec"]["executors"]["exec-my-task"]["container"]["args"]
    assert args[args.index("--task") + 1] == "My_Task"


def test_settings_of_atask_of() -> None:
    spec, platform = spec_of(pipelines.settings, image_pull_secrets=["all"], grace=100)
    executor = spec["deploymentSpec"]["executors"]["exec-heavy"]["container"]
    assert executor["image"] == "registry.example/own@sha256:1f"
    assert executor["env"] == [
        {"name": "A", "value": "line\nbreak \u2028 é \U0001f600"},
        {"name": "MODE", "value": "full"},
        {"name": "TMPDIR", "value": "/mnt/crossdock-scratch"},
    ]
    assert executor["resources"] == {
        "resourceCpuRequest": "0.5",
        "resourceCpuLimit": "2",
        "resourceMemoryRequest": "4Gi",
        "resourceMemoryLimit": "4Gi",
        "accelerator": {"resourceType": "nvidia.com/gpu", "resourceCount": "2"},
    }
    assert "retryPolicy" not in spec["root"]["dag"]["tasks"]["heavy"]
    assert platform is not None
    assert platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-heavy"] == {
        "nodeSelector": {
            "labels": {
                "cloud.google.com/gke-accelerator": "nvidia-tesla-a100",
                "cloud.google.com/gke-spot": "true",
                "pool": "fast",
            }
        },
        "tolerations": [
            {"key": "cloud.google.com/gke-spot", "operator": "Equal", "value": "true", "effect": "NoSchedule"},
            {"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": "60"},
        ],
        "podMetadata": {
            "labels": {"example.org/cost": "a_b", "team": "ml"},
            "annotations": {"sidecar.istio.io/inject": "false"},
        },
        "secretAsEnv": [
            {
                "secretNameParameter": {"runtimeValue": {"constant": "api"}},
                "keyToEnv": [
                    {"secretKey": "token", "envVar": "TOKEN"},
                    {"secretKey": "user", "envVar": "USER_NAME"},
                ],
                "optional": False,
            }
        ],
        "pvcMount": [
            {
                "pvcNameParameter": {"runtimeValue": {"constant": "data"}},
                "mountPath": "/data",
                "subPath": "in",
            }
        ],
        "emptyDirMounts": [
            {"volumeName": "crossdock-shm", "mountPath": "/dev/shm", "medium": "Memory", "sizeLimit": "1Gi"}
        ],
        "genericEphemeralVolume": [
            {
                "volumeName": "crossdock-scratch",
                "mountPath": "/mnt/crossdock-scratch",
                "accessModes": ["ReadWriteOnce"],
                "size": "50Gi",
                "defaultStorageClass": True,
            }
        ],
        "imagePullPolicy": "Always",
        "imagePullSecret": [
            {"secretNameParameter": {"runtimeValue": {"constant": "all"}}},
            {"secretNameParameter": {"runtimeValue": {"constant": "reg"}}},
        ],
        "activeDeadlineSeconds": str(3 * 3600 + 10 + 20 + 100),
    }


def test_configuration_says_what_a_cluster_calls_things() -> None:
    gpu = {"nvidia-a100-40gb": {"resource": "example.com/gpu", "node_selector": {"gpu": "a100"}}}
    spec, platform = spec_of(
        pipelines.settings, gpu_types=gpu, spot={"node_selector": {"life": "spot"}}, storage_class="fast"
    )
    assert platform is not None
    body = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-heavy"]
    assert body["nodeSelector"]["labels"] == {"gpu": "a100", "life": "spot", "pool": "fast"}
    assert body["genericEphemeralVolume"][0]["storageClassName"] == "fast"
    accelerator = spec["deploymentSpec"]["executors"]["exec-heavy"]["container"]["resources"]["accelerator"]
    assert accelerator["resourceType"] == "example.com/gpu"
    spec, _ = spec_of(pipelines.chain, image="mine:1", retries=0)
    assert spec["deploymentSpec"]["executors"]["exec-inc"]["container"]["image"] == "mine:1"
    assert "retryPolicy" not in spec["root"]["dag"]["tasks"]["inc"]


def test_unknown_gpu_type_is_refused() -> None:
    plan = Plan("p", (task_of("a", settings=Settings(resources=Resources(gpu=1, gpu_type="acme-9000"))),))
    with pytest.raises(UnsupportedError, match=r"(?s)acme-9000.*nvidia-l4"):
        TARGET.translate(plan)


class SomeStore(ArtifactStore[Any]):
    flavor = "some"

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    def open(self) -> Any:
        raise AssertionError("translate opens no store")


def test_a_stack_names_the_store() -> None:
    plan = plan_of(pipelines.chain)
    spec = TARGET.translate(plan, Stack("s", TARGET, SomeStore("s3://bucket/prefix/")))
    assert f"s3://bucket/prefix/plans/{plan.digest}.json" in spec.main
    assert "placeholder/store" not in spec.main
    for url in ("file:///tmp/x", "/tmp/x", "memory:///x"):
        with pytest.raises(BadInput, match="run elsewhere"):
            TARGET.translate(plan, Stack("s", TARGET, SomeStore(url)))


def test_branches_are_sub_dags_that_their_consumers_survive() -> None:
    spec, _ = spec_of(pipelines.branches)
    tasks = spec["root"]["dag"]["tasks"]
    assert list(tasks) == ["inc", "inc-5", "condition-branches-when-1", "condition-branches-when-1-else"]
    assert tasks["inc-5"]["dependentTasks"] == ["condition-branches-when-1", "condition-branches-when-1-else"]
    inner = spec["components"]["comp-condition-branches-when-1-else"]["dag"]["tasks"]["condition-when-1-else"]
    assert inner["triggerPolicy"]["condition"] == "inputs.parameter_values['pipelinechannel--inc-when-1'] == 'false'"
    args = spec["deploymentSpec"]["executors"]["exec-inc"]["container"]["args"]
    assert args[-2:] == ["--emit", "when-1={{$.outputs.parameters['when-1'].output_file}}"]
    # Nothing waits for the branch in the branch: it needs no second sub-DAG.
    assert "condition-when-2" in spec["components"]["comp-condition-when-1"]["dag"]["tasks"]


def test_a_branch_that_cannot_be_a_sub_dag_is_left_to_the_runtime() -> None:
    spec, _ = spec_of(pipelines.gate_from_inside)
    assert list(spec["root"]["dag"]["tasks"]) == ["inc", "inc-2", "condition-when-2"]
    spec, _ = spec_of(pipelines.circle_of_branches)
    assert list(spec["root"]["dag"]["tasks"]) == ["inc", "inc-2", "inc-4", "inc-3"]
    spec, _ = spec_of(pipelines.list_from_inside)
    assert list(spec["root"]["dag"]["tasks"]) == ["inc", "numbers", "for-loop-map-1"]


def test_maps_are_loops_over_indices() -> None:
    spec, _ = spec_of(pipelines.nested_maps)
    outer = spec["root"]["dag"]["tasks"]["for-loop-map-1"]
    assert outer["parameterIterator"] == {
        "items": {"inputParameter": "pipelinechannel--numbers-map-1"},
        "itemInput": "map-1-item",
    }
    inside = spec["components"]["comp-for-loop-map-1"]["dag"]["tasks"]
    assert inside["for-loop-map-2"]["iteratorPolicy"] == {"parallelismLimit": 2}
    # The second inner map goes over a list from outside of the outer one.
    assert inside["for-loop-map-3"]["inputs"]["parameters"]["pipelinechannel--numbers-map-3"] == {
        "componentInputParameter": "pipelinechannel--numbers-map-3"
    }
    args = spec["deploymentSpec"]["executors"]["exec-both"]["container"]["args"]
    assert (
        args[args.index("--index") + 1] == "{{$.inputs.parameters['map-1-item']}}.{{$.inputs.parameters['map-2-item']}}"
    )
    assert spec["components"]["comp-numbers"]["outputDefinitions"]["parameters"] == {
        "map-1": {"parameterType": "LIST"},
        "map-3": {"parameterType": "LIST"},
    }
    for pipeline, raw in ((pipelines.static_map, '["0","1","2"]'), (pipelines.empty_map, "[]")):
        spec, _ = spec_of(pipeline)
        assert spec["root"]["dag"]["tasks"]["for-loop-map-1"]["parameterIterator"]["items"] == {"raw": raw}


def test_lists_that_no_task_says_are_counted_first() -> None:
    spec, _ = spec_of(pipelines.map_over_parameter)
    assert list(spec["root"]["dag"]["tasks"]) == ["items-map-1", "for-loop-map-1"]
    args = spec["deploymentSpec"]["executors"]["exec-items-map-1"]["container"]["args"]
    assert "--task" not in args
    assert args[args.index("--items") :] == [
        "--items", "map-1",
        "--run", "{{$.inputs.parameters['crossdock_run']}}",
        "--native-id", "{{$.inputs.parameters['crossdock-native-id']}}",
        "--param", "xs={{$.inputs.parameters['xs']}}",
        "--emit", "map-1={{$.outputs.parameters['map-1'].output_file}}",
    ]  # fmt: skip
    # The tasks of the map read their item from the parameter, too.
    args = spec["deploymentSpec"]["executors"]["exec-inc"]["container"]["args"]
    assert "xs={{$.inputs.parameters['xs']}}" in args
    spec, _ = spec_of(pipelines.map_over_item)
    inside = spec["components"]["comp-for-loop-map-1"]["dag"]["tasks"]
    assert list(inside) == ["items-map-2", "for-loop-map-2"]
    args = spec["deploymentSpec"]["executors"]["exec-items-map-2"]["container"]["args"]
    assert args[args.index("--index") + 1] == "{{$.inputs.parameters['map-1-item']}}"
    spec, _ = spec_of(pipelines.map_over_map)
    tasks = spec["root"]["dag"]["tasks"]
    assert tasks["items-map-2"]["dependentTasks"] == ["for-loop-map-1"]
    assert tasks["for-loop-map-2"]["dependentTasks"] == ["items-map-2"]


def test_exit_task_waits_for_a_guard() -> None:
    spec, _ = spec_of(pipelines.with_exit)
    tasks = spec["root"]["dag"]["tasks"]
    assert list(tasks) == ["exit-handler-1", "bye"]
    assert tasks["bye"]["dependentTasks"] == ["exit-handler-1"]
    assert tasks["bye"]["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert list(spec["components"]["comp-exit-handler-1"]["dag"]["tasks"]) == ["inc", "condition-when-1"]


def test_every_feature_is_declared() -> None:
    assert set(FEATURES) == set(Feature)
    assert KubeflowOrchestrator.features is FEATURES
    assert KubeflowOrchestrator.rules is RULES
    assert all(support.works or support.hint for support in FEATURES.values())


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        (pipelines.map_in_circle, "would have to wait for itself"),
        (pipelines.goes_on, "fail fast"),
        (pipelines.container, "holds no runtime"),
    ],
    ids=lambda found: getattr(found, "name", ""),
)
def test_holes_say_why_and_what_instead(pipeline: Pipeline[Any, Any], message: str) -> None:
    (problem,) = problems_of(pipeline)
    assert message in problem
    assert "hint:" in problem


@pytest.mark.parametrize(
    "pipeline",
    [pipelines.map_in_circle, pipelines.container],
    ids=lambda found: found.name,
)
def test_what_cannot_run_is_never_written(pipeline: Pipeline[Any, Any]) -> None:
    with pytest.raises(UnsupportedError):
        TARGET.translate(plan_of(pipeline))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(labels={"team": "a b"}), "no Kubernetes label value"),
        (Settings(labels={"team": "x" * 64}), "no Kubernetes label value"),
        (Settings(labels={"a/b/c": "x"}), "no Kubernetes label key"),
        (Settings(env={"A": "{{workflow.name}}"}), "the platform fills in"),
        (Settings(targets={"kubeflow": {"nodeselector": {}}}), "nodeselector.*node_selector"),
        (Settings(targets={"kubeflow": {"volumes": [{"claim": "a", "mount_path": "b"}]}}), "mount_path"),
        (Settings(targets={"kubeflow": {"labels": {"a": "-"}}}), "no Kubernetes label value"),
    ],
)
def test_settings_that_kubernetes_refuses(settings: Settings, message: str) -> None:
    import re

    plan = Plan("p", (task_of("a", settings=settings),))
    (problem,) = [*check_support(plan, "kubeflow", FEATURES, RULES)[0], *override_problems(plan, TARGET)]
    assert re.search(message, str(problem), re.DOTALL)
    assert problem.task == "a"


def test_settings_of_another_target_are_left_alone() -> None:
    plan = Plan("p", (task_of("a", settings=Settings(targets={"other": {"x": 1}})),))
    assert check_support(plan, "kubeflow", FEATURES, RULES) == ([], [])
    TARGET.translate(plan)


def test_text_quotes_what_yaml_reads_otherwise() -> None:
    body = {
        "n": 1, "yes": "no", "null": None, "1": 0.5, "a b": [1.5, "x: y"], "e": {}, "tab\t": {"x": 1e-7},
        "big": 1e16, "odd": "\x7f\x85\u2028\ufeff \ud83d \U0001f600 é", "deep": {"on": {"off": "~"}, "x": []},
    }  # fmt: skip
    once = text.documents(body, body)
    assert list(yaml.safe_load_all(once)) == [body, body]
    assert "1.0e+16" in once
    assert json.loads(json.dumps(body)) == body


def test_the_same_bytes_in_every_process() -> None:
    code = (
        "import hashlib, kfp_pipelines as p\n"
        "from crossdock.passes import compile_pipeline\n"
        "from crossdock_adapters.orchestrators.kubeflow import KubeflowConfig, KubeflowOrchestrator\n"
        "target = KubeflowOrchestrator('k', KubeflowConfig())\n"
        "text = ''.join(target.translate(compile_pipeline(found).plan).main for found in p.WORKING)\n"
        "print(hashlib.sha256(text.encode('utf-8')).hexdigest())\n"
    )
    seen = set()
    for seed in ("0", "1", "12345"):
        run = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
        seen.add(run.stdout)
    assert len(seen) == 1


def test_no_sdk_is_imported() -> None:
    code = (
        "import sys\nbefore = set(sys.modules)\nimport crossdock_adapters.orchestrators.kubeflow\n"
        "loaded = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(loaded & {'kfp', 'google', 'yaml', 'kubernetes'}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_thousand_tasks_are_quick() -> None:
    tasks = [task_of("t0")]
    for number in range(1, 1000):
        tasks.append(task_of(f"t{number}", {"x": Input(Output(f"t{number - 1}", "output"), "int")}))
    plan = Plan("p", tuple(tasks))
    assert plan.digest
    spent = []
    for _ in range(3):
        start = time.process_time()
        TARGET.translate(plan)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.2


# Random plans: whatever their scopes and edges are, KFP starts every task that is to run, and none too early.


@pytest.mark.parametrize("seed", range(300))
def test_random_plans_run_as_they_are_meant(seed: int) -> None:
    chance = random.Random(seed)
    plan = random_plan(chance)
    problems, _ = check_support(plan, "kubeflow", FEATURES, RULES)
    if problems:
        assert all("wait for itself" in str(problem) for problem in problems)
        return
    spec = documents(plan, TARGET.config, None)[0]
    kfp_checker.check(spec)
    says = {name: chance.choice((True, False)) for name in plan.gates}

    def taken(scope: str | None) -> bool:
        for found in plan.scopes_of(scope):
            if isinstance(found, BranchScope):
                owner = plan.gates[found.gate].task
                assert owner is not None
                if not taken(plan.by_id[owner].scope) or says[found.gate] is not found.expect:
                    return False
        return True

    values = {}
    for name, gate in plan.gates.items():
        assert gate.task is not None
        truth = taken(plan.by_id[gate.task].scope)
        values[name] = ("true" if says[name] else "false") if truth else "skipped"
    order = kfp_checker.started(spec, values)
    assert len(set(order)) == len(order)
    position = {task: number for number, task in enumerate(order)}
    for task in plan.tasks:
        if taken(task.scope):
            assert task.id in position, f"{task.id} is to run and never starts"
        if task.id in position:
            for source in plan.upstream(task):
                assert position.get(source, -1) < position[task.id], f"{task.id} starts before {source}"
