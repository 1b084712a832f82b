"""The checker of pipeline specs takes what KFP's own compiler writes, and what ours does; nothing breaks it."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import kfp_pipelines
import kfp_vendor_pipelines as vendor
import pytest
import yaml
from kfp import compiler

from crossdock.dsl.errors import BadInput
from crossdock.dsl.pipeline import Pipeline
from crossdock.passes import compile_pipeline
from crossdock.stacks import Spec
from crossdock_adapters import yaml_text
from crossdock_adapters.orchestrators._kfp_ir.checks import KFP, VERTEX, check, looks_like_a_spec, read
from crossdock_adapters.orchestrators._kfp_ir.checks.cel import NoExpression, inputs_of
from crossdock_adapters.orchestrators.kubeflow import KubeflowConfig, KubeflowOrchestrator
from crossdock_adapters.orchestrators.kubeflow.argo_size import predicted_argo_bytes, refuse_too_large

ROOT = Path(__file__).resolve().parents[2]
GOLDENS = sorted((ROOT / "tests" / "golden").glob("*/kubeflow/*.yaml"))


@pytest.mark.parametrize("pipeline", vendor.PIPELINES, ids=lambda found: found.name)
def test_what_the_vendor_s_compiler_writes_is_right(pipeline: Any, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    compiler.Compiler().compile(pipeline, str(file))
    text = file.read_text(encoding="utf-8")
    assert looks_like_a_spec(text)
    assert [str(problem) for problem in check("pipeline.yaml", text, KFP)] == []
    model, _ = read(list(yaml.safe_load_all(text)))
    assert model is not None
    assert len(text) < predicted_argo_bytes(model) < 6 * len(text) + 10_000


def test_what_the_vendor_s_compiler_writes_and_its_backend_refuses(tmp_path: Path) -> None:
    compiler.Compiler().compile(vendor.over_artifacts, str(tmp_path / "pipeline.yaml"))
    text = (tmp_path / "pipeline.yaml").read_text(encoding="utf-8")
    assert [problem.message for problem in check("pipeline.yaml", text, KFP)] == ["KFP has no loops over artifacts yet"]


@pytest.mark.parametrize("pipeline", kfp_pipelines.WORKING, ids=lambda found: found.name)
def test_what_we_write_is_right(pipeline: Pipeline[Any, Any]) -> None:
    text = KubeflowOrchestrator("kfp", KubeflowConfig()).translate(compile_pipeline(pipeline).plan).main
    assert [str(problem) for problem in check("pipeline.yaml", text, KFP)] == []
    if "\n---\n" not in text:
        assert [str(problem) for problem in check("pipeline.yaml", text, VERTEX)] == []


@pytest.mark.parametrize("file", GOLDENS, ids=lambda file: file.parts[-3])
def test_goldens_are_right(file: Path) -> None:
    assert check(file.name, file.read_text(encoding="utf-8"), KFP) == []


def _vendor_says_no(documents: list[Any]) -> bool:
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2 as protos

    try:
        json_format.ParseDict(documents[0], protos.PipelineSpec())
        json_format.ParseDict(documents[0].get("deploymentSpec", {}), protos.PipelineDeploymentConfig())
    except (json_format.ParseError, TypeError, AttributeError, ValueError):
        return True
    return False


def _broken(body: Any, choose: random.Random) -> Any:
    """One change anywhere in a document."""
    places: list[tuple[Any, Any]] = []
    waiting = [body]
    while waiting:
        here = waiting.pop()
        items = here.items() if isinstance(here, dict) else enumerate(here) if isinstance(here, list) else ()
        for key, value in items:
            places.append((here, key))
            waiting.append(value)
    if not places:
        return body
    here, key = choose.choice(places)
    kind = choose.randrange(4)
    if kind == 0:
        del here[key]
    elif kind == 1 and isinstance(here, dict):
        here[f"{key}x"] = here.pop(key)
    else:
        here[key] = choose.choice([None, 1, 1.5, True, "x", "", [], {}, ["x"], {"x": {}}, {"x": None}, [[]], 10**30])
    return body


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_given_is_answered_and_what_the_protobufs_refuse_is_found(seed: int) -> None:
    choose = random.Random(seed)
    texts = [file.read_text(encoding="utf-8") for file in GOLDENS]
    texts.append((ROOT / "tests" / "unit" / "kfp_defects" / "platform.yaml").read_text(encoding="utf-8"))
    refused = 0
    for _ in range(150):
        documents = list(yaml.load_all(choose.choice(texts), getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        for _ in range(choose.randint(1, 3)):
            index = choose.randrange(len(documents))
            documents[index] = _broken(documents[index], choose)
        problems = check("x.yaml", "---\n".join(json.dumps(body) + "\n" for body in documents), KFP)
        assert all(problem.hint is not None and problem.id and problem.where for problem in problems)
        if _vendor_says_no(documents):
            refused += 1
            assert problems, documents
    assert refused > 30


@pytest.mark.parametrize(
    "text", ["", "a", "[]", "{}", "---\n---\n", "root: 1", "- 1", "root: {dag: {tasks: []}}", "{", "\x00"]
)
def test_no_spec_at_all(text: str) -> None:
    assert check("x.yaml", text, KFP) != []


@pytest.mark.parametrize(
    "text",
    [
        "inputs.parameter_values['a'] == 'b'",
        "!(inputs.parameter_values['a'] == \"b\") && (1 < 2 || false)",
        "int(inputs.parameter_values['a']) + 1 >= 2 ? true : false",
        "inputs.parameter_values['a'] in ['x', 'y',]",
        "inputs.parameters['a'].string_value.startsWith('x')",
        "[1, 2].exists(one, one > 1) && {'a': 1}['a'] == 1",
        "size(inputs.artifacts['a'].artifacts) > -1",
        "r'\\d' != '''a'b''' // why",
    ],
)
def test_expressions_of_cel(text: str) -> None:
    assert inputs_of(text) <= {"a"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a ==",
        "== a",
        "(true",
        "true)",
        "'a",
        "a b",
        "1 = 2",
        "count > 1",
        "lots(1)",
        "inputs.",
        "[1, 2",
        "{1}",
        "(" * 500,
    ],
)
def test_no_expressions_of_cel(text: str) -> None:
    with pytest.raises(NoExpression):
        inputs_of(text)


def test_what_is_read_by_a_condition() -> None:
    assert inputs_of("inputs.parameter_values['a'] == inputs.parameter_values[\"b\"]") == {"a", "b"}


def test_a_spec_of_a_thousand_tasks_takes_little_time() -> None:
    text = yaml_text.documents(_many(1000, "chain"))
    started = time.process_time()
    assert check("x.yaml", text, KFP) == []
    assert time.process_time() - started < 5


def _many(count: int, shape: str) -> dict[str, Any]:
    """A spec of the shape that was measured: each task has a parameter and hands on an artifact."""
    artifact = {"artifactType": {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}}
    number = {"parameters": {"n": {"parameterType": "NUMBER_INTEGER"}}}
    tasks: dict[str, Any] = {}
    for index in range(count):
        before = f"t-{index - 1}" if shape == "chain" else "t-0"
        source = {"taskOutputArtifact": {"producerTask": before, "outputArtifactKey": "out"}}
        tasks[f"t-{index}"] = {
            "taskInfo": {"name": f"t-{index}"},
            "componentRef": {"name": "comp-step" if index else "comp-first"},
            **({"dependentTasks": [before]} if index else {}),
            "inputs": {
                "parameters": {"n": {"componentInputParameter": "n"}},
                **({"artifacts": {"inp": source}} if index else {}),
            },
            "cachingOptions": {"enableCache": True},
        }
    components = {
        f"comp-{name}": {
            "executorLabel": f"exec-{name}",
            "inputDefinitions": {**number, **({"artifacts": {"inp": artifact}} if name == "step" else {})},
            "outputDefinitions": {"artifacts": {"out": artifact}},
        }
        for name in ("first", "step")
    }
    return {
        "pipelineInfo": {"name": "p"},
        "schemaVersion": "2.1.0",
        "root": {"inputDefinitions": number, "dag": {"tasks": tasks}},
        "components": components,
        "deploymentSpec": {
            "executors": {
                f"exec-{name}": {
                    "container": {"image": "python:3.11", "command": ["python", "-m", "x"], "args": [name, "{{$}}"]}
                }
                for name in ("first", "step")
            }
        },
    }


@pytest.mark.parametrize(
    ("count", "shape", "measured"),
    [
        (10, "chain", 24_000),
        (100, "chain", 158_000),
        (500, "chain", 759_000),
        (1000, "chain", 1_511_000),
        (10, "fan", 25_000),
        (100, "fan", 162_000),
        (500, "fan", 778_000),
        (1000, "fan", 1_547_000),
    ],
)
def test_the_workflow_is_as_large_as_was_measured(count: int, shape: str, measured: int) -> None:
    """Measured with the compiler of KFP's backend, 2.17.0, for specs of this shape."""
    model, problems = read([_many(count, shape)])
    assert model is not None
    assert problems == []
    assert predicted_argo_bytes(model) == pytest.approx(measured, rel=0.06 if count == 10 else 0.02)


def test_a_spec_that_nears_the_limit_is_told_and_one_beyond_it_refused() -> None:
    target = KubeflowOrchestrator("kfp", KubeflowConfig())
    small, near, beyond = (
        Spec("kubeflow", {"pipeline.yaml": yaml_text.documents(_many(count, "chain"))}) for count in (100, 900, 1200)
    )
    assert list(target.warnings(small)) == []
    (warning,) = target.warnings(near)
    assert warning.id == "spec-too-large"
    assert target.check_spec("pipeline.yaml", near.main) == []
    assert [problem.id for problem in target.check_spec("pipeline.yaml", beyond.main)] == ["spec-too-large"]
    refuse_too_large(near)
    with pytest.raises(BadInput, match=r"about 1\.83 MB of it, and etcd takes 1\.57 MB"):
        refuse_too_large(beyond)
