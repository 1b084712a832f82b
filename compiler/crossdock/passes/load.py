"""From SOURCE, or a pipeline function, to a plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock.dsl.frozen import frozen
from crossdock.dsl.pipeline import Pipeline
from crossdock.ir import Plan
from crossdock.passes import CodeBook, Traced, compile_pipeline
from crossdock.passes.project import load_source


@frozen
class Loaded:
    """A pipeline, its plan, and where its code lives.

    Attributes:
        source: SOURCE relative to the project's root, for the record.
        modules: modules of the user's code.
    """

    pipeline: Pipeline[Any, Any]
    traced: Traced
    root: Path
    source: str
    modules: tuple[str, ...]

    @property
    def plan(self) -> Plan:
        return self.traced.plan


def load(source: str | Pipeline[Any, Any]) -> Loaded:
    """Import and compile a pipeline.

    Args:
        source: `path/file.py[:pipeline]`, `package.module[:pipeline]`, or a `@pipeline` function.

    Raises:
        BadInput: it is not there, or its file cannot be imported.
        TraceError: the DSL is used wrongly.
    """
    if isinstance(source, Pipeline):
        code = CodeBook.of(source.function)
        module = source.function.__module__
        traced = compile_pipeline(source, code)
        modules = () if module == "__main__" else (module,)
        return Loaded(source, traced, code.project.root, f"{module}:{source.function.__qualname__}", modules)
    loaded = load_source(source)
    name, pipeline = _pipeline_of(loaded.module, loaded.name, source)
    traced = compile_pipeline(pipeline, CodeBook(loaded.project))
    file = loaded.file.resolve()
    root = loaded.project.root.resolve()
    shown = file.relative_to(root).as_posix() if file.is_relative_to(root) else loaded.module_name
    return Loaded(pipeline, traced, loaded.project.root, f"{shown}:{name}", (loaded.module_name,))


def _pipeline_of(module: Any, name: str | None, source: str) -> tuple[str, Pipeline[Any, Any]]:
    found = {
        key: item
        for key, item in vars(module).items()
        if isinstance(item, Pipeline) and item.function.__module__ == module.__name__
    }
    if name is not None:
        item = getattr(module, name, None)
        if isinstance(item, Pipeline):
            return name, item
        what = f"{name!r} in {module.__name__} is not a pipeline" if item is not None else f"no pipeline {name!r}"
        raise BadInput(f"{source}: {what}", hint=did_you_mean(name, tuple(found)), id="unknown-pipeline")
    if not found:
        raise BadInput(f"{source} has no pipeline", hint="decorate a function with @pipeline", id="no-pipeline")
    if len(found) > 1:
        called = _nested(found)
        outer = [key for key in found if key not in called]
        if len(outer) == 1:
            return outer[0], found[outer[0]]
        raise BadInput(
            f"{source} has {len(found)} pipelines: {', '.join(found)}",
            hint=f"write {source}:{next(iter(found))}",
            id="several-pipelines",
        )
    return next(iter(found.items()))


def _nested(found: Mapping[str, Pipeline[Any, Any]]) -> set[str]:
    """Names of the pipelines that another one calls."""
    return {
        key for key in found for other, item in found.items() if other != key and key in item.function.__code__.co_names
    }
