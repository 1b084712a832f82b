"""From a pipeline function to a plan: tracing, then the passes."""

from __future__ import annotations

from typing import Any

from crossdock.dsl.pipeline import Pipeline
from crossdock.passes.code import CodeBook
from crossdock.passes.lower import PASSES, lower
from crossdock.passes.trace import Traced, trace

__all__ = ["PASSES", "CodeBook", "Traced", "compile_pipeline", "lower", "trace"]


def compile_pipeline(pipeline: Pipeline[Any, Any], code: CodeBook | None = None) -> Traced:
    """The plan of a pipeline after all passes, with each task's place in the user's code.

    Raises:
        TraceError: the DSL is used wrongly.
        PlanError: a rule of the IR is broken, which is our own mistake.
    """
    traced = trace(pipeline, code)
    return Traced(lower(traced.plan), traced.locations)
