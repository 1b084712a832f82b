"""The checker of pipeline specs takes what KFP's own compiler writes, and what ours does; nothing breaks it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kfp_pipelines
import kfp_vendor_pipelines as vendor
import pytest
from kfp import compiler

from crossdock.dsl.pipeline import Pipeline
from crossdock.passes import compile_pipeline
from crossdock_adapters.orchestrators._kfp_ir.checks import KFP, VERTEX, check, looks_like_a_spec
from crossdock_adapters.orchestrators.kubeflow import KubeflowConfig, KubeflowOrchestrator

ROOT = Path(__file__).resolve().parents[2]
GOLDENS = sorted((ROOT / "tests" / "golden").glob("*/kubeflow/*.yaml"))


@pytest.mark.parametrize("pipeline", vendor.PIPELINES, ids=lambda found: found.name)
def test_what_the_vendor_s_compiler_writes_is_right(pipeline: Any, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    compiler.Compiler().compile(pipeline, str(file))
    text = file.read_text(encoding="utf-8")
    assert looks_like_a_spec(text)
    assert [str(problem) for problem in check("pipeline.yaml", text, KFP)] == []


@pytest.mark.parametrize("pipeline", kfp_pipelines.WORKING, ids=lambda found: found.name)
def test_what_we_write_is_right(pipeline: Pipeline[Any, Any]) -> None:
    text = KubeflowOrchestrator("kfp", KubeflowConfig()).translate(compile_pipeline(pipeline).plan).main
    assert [str(problem) for problem in check("pipeline.yaml", text, KFP)] == []
    if "\n---\n" not in text:
        assert [str(problem) for problem in check("pipeline.yaml", text, VERTEX)] == []


@pytest.mark.parametrize("file", GOLDENS, ids=lambda file: file.parts[-3])
def test_goldens_are_right(file: Path) -> None:
    assert check(file.name, file.read_text(encoding="utf-8"), KFP) == []
