"""Defects of pipeline specs, one a file: what `crossdock check` says of each is beside it.

The texts are written again by CROSSDOCK_REGENERATE=1, and read by people in the diff. What KFP's own SDK and its
backend's compiler say of the same defects was found by running them, versions 2.16.1 and 2.17.0.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from crossdock.cli.main import run
from crossdock.dsl.errors import Problem
from crossdock_adapters.orchestrators._kfp_ir.checks import KFP, VERTEX, check

FOLDER = Path(__file__).parent / "kfp_defects"
FILES = sorted(FOLDER.glob("*.yaml"))
RIGHT = {"right", "platform"}
REGENERATE = "CROSSDOCK_REGENERATE"
BACKENDS = {backend.title: backend for backend in (KFP, VERTEX)}
KINDS = {
    "dangling_component": "compiler",
    "dangling_executor": "compiler",
    "dependent_ghost": "nobody",
    "producer_ghost": "compiler",
    "unknown_output": "nobody",
    "edge_missing": "nobody",
    "cycle": "nobody",
    "undeclared_input": "nobody",
    "missing_input": "nobody",
    "placeholder_of_unknown_input": "nobody",
    "parent_input_unknown": "nobody",
    "unknown_top_field": "both",
    "unknown_container_field": "SDK",
    "no_schema_version": "compiler",
    "old_schema_version": "compiler",
    "name_with_spaces": "nobody",
    "name_in_capitals": "compiler",
    "no_task_name": "nobody",
    "no_command": "nobody",
    "no_image": "nobody",
    "cpu_in_words": "nobody",
    "no_cel": "nobody",
    "task_with_underscore": "nobody",
    "component_called_root": "compiler",
    "exit_task_of_two": "nobody",
    "only_an_exit_task": "compiler",
    "artifact_iterator": "compiler",
}
"""The kinds of which it is known who else notices them before a task starts."""

each = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def problems_of(file: Path) -> list[Problem]:
    text = file.read_text(encoding="utf-8")
    return check(file.name, text, BACKENDS[text.removeprefix("# ").partition(". Wrong")[0]])


@each
def test_what_the_user_reads(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    problems = problems_of(file)
    text = "".join(f"{problem.text(ids=True)}\n" for problem in problems)
    golden = file.with_suffix(".txt")
    if os.environ.get(REGENERATE):
        assert not os.environ.get("CI"), f"{REGENERATE} is for people who read the difference, not for CI"
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert (problems == []) == (file.stem in RIGHT)
    assert all(
        problem.hint and problem.id and (problem.where or "").startswith(f"{file.name}:") for problem in problems
    )
    if file.stem.startswith("vertex"):
        return
    monkeypatch.chdir(FOLDER)
    code = run(["check", file.name])
    printed = capsys.readouterr().out
    assert code == int(bool(problems))
    assert printed.startswith("kubeflow: cannot run it\n" if problems else "kubeflow: ok\n")
    assert printed.count("\n- ") == len(problems)


def test_every_known_kind_has_a_file() -> None:
    assert len(KINDS) == 27
    assert set(KINDS) <= {file.stem for file in FILES}
    assert {file.stem for file in FOLDER.glob("*.txt")} == {file.stem for file in FILES}


@each
def test_the_vendor_s_protobufs_refuse_nothing_that_we_take(file: Path) -> None:
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2 as protos

    try:
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
        json_format.ParseDict(documents[0], protos.PipelineSpec())
        json_format.ParseDict(documents[0]["deploymentSpec"], protos.PipelineDeploymentConfig())
    except (yaml.YAMLError, json_format.ParseError, TypeError, AttributeError):
        assert problems_of(file) != []
    else:
        assert KINDS.get(file.stem, "nobody") in ("nobody", "compiler")
