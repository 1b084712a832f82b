"""What is wrong with a pipeline spec, whoever wrote it: found without an SDK, without protobuf, without a network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from crossdock.dsl.errors import Problem
from crossdock_adapters.orchestrators._kfp_ir.checks import bindings, containers, graph
from crossdock_adapters.orchestrators._kfp_ir.checks.backends import KFP, VERTEX, Backend
from crossdock_adapters.orchestrators._kfp_ir.checks.model import Model, SpecProblem, model_of
from crossdock_adapters.orchestrators._kfp_ir.checks.shape import Shape
from crossdock_adapters.orchestrators._kfp_ir.checks.source import Source, Unreadable

__all__ = ["KFP", "VERTEX", "Backend", "check", "looks_like_a_spec", "read"]

_MARKS = re.compile(
    r"""^\s*\{?\s*["']?(pipelineInfo|pipeline_info|deploymentSpec|deployment_spec)["']?\s*:""", re.MULTILINE
)
_CHECKS = (
    graph.names,
    graph.components,
    graph.edges,
    graph.conditions,
    bindings.inputs,
    bindings.outputs,
    containers.images,
    containers.quantities,
    containers.names_in_texts,
    containers.platform,
)


def looks_like_a_spec(text: str) -> bool:
    """Whether a text is meant as a pipeline spec, however broken it is."""
    return bool(_MARKS.search(text)) or '"pipelineInfo"' in text


def check(name: str, text: str, backend: Backend) -> list[Problem]:
    """Everything that is wrong with a spec, in the order of the file.

    Args:
        name: the file as people are told of it.
        text: JSON, or YAML of one or two documents.
        backend: who is to run it.
    """
    try:
        source = Source(name, text)
    except Unreadable as error:
        hint = "correct the line, or compile the spec again"
        return [Problem(f"not YAML: {error}", where=f"{name}:{error.line}", hint=hint, id="not-yaml")]
    model, found = read(source.documents)
    problems = [*found, *_documents(source.documents, backend)]
    if model is not None:
        seen = {(item.document, item.path) for item in found}
        problems += _schema(model, backend)
        problems += [problem for look in (*_CHECKS, *backend.checks) for problem in look(model)]
        problems = [*found, *(item for item in problems[len(found) :] if (item.document, item.path) not in seen)]
    problems.sort(key=lambda item: source.line(item.document, item.path))
    return [
        Problem(item.message, where=source.where(item.document, item.path), hint=item.hint, id=item.id)
        for item in problems
    ]


def read(documents: list[Any]) -> tuple[Model | None, list[SpecProblem]]:
    """A model of the documents of a spec without what is of a wrong shape, and what that is."""
    if not documents or not isinstance(documents[0], dict):
        return None, [SpecProblem((), "a spec is a mapping of fields", "compile the spec again", id="bad-field")]
    shape = Shape(0)
    spec = shape.message("PipelineSpec", documents[0], ())
    spec["deploymentSpec"] = shape.message(
        "PipelineDeploymentConfig", spec.get("deploymentSpec", {}), ("deploymentSpec",)
    )
    second = Shape(1)
    platform: dict[str, Any] = {}
    if len(documents) > 1:
        platform = second.message("PlatformSpec", documents[1], ())
        for name, body in platform.get("platforms", {}).items():
            executors = body.get("deploymentSpec", {}).get("executors", {})
            for label, config in executors.items():
                path = ("platforms", name, "deploymentSpec", "executors", label)
                executors[label] = second.message("KubernetesExecutorConfig", config, path)
    return model_of(spec, platform), [*shape.problems, *second.problems]


def _documents(documents: list[Any], backend: Backend) -> Iterator[SpecProblem]:
    rest = documents[1:]
    platforms = rest[0].get("platforms") if rest and isinstance(rest[0], dict) else None
    if rest and not backend.platform_document:
        yield SpecProblem(
            (),
            f"{backend.title} takes one document, and its SDK stops at a second",
            "take it out",
            id="bad-field",
            document=1,
        )
    elif len(rest) > 1:
        yield SpecProblem(
            (), "behind a spec stands one platform document", "take the others out", id="bad-field", document=2
        )
    elif rest and not (isinstance(platforms, dict) and "kubernetes" in platforms):
        yield SpecProblem(
            (),
            "the second document is for the platform `kubernetes`",
            "platforms: {kubernetes: …}",
            id="bad-field",
            document=1,
        )


def _schema(model: Model, backend: Backend) -> Iterator[SpecProblem]:
    version = model.spec.get("schemaVersion")
    if version not in backend.schemas:
        yield SpecProblem(
            ("schemaVersion",),
            f"{backend.title} takes schemaVersion {' or '.join(backend.schemas)}, "
            + (f"not {version!r}" if version is not None else "and the spec says none"),
            f"schemaVersion: {backend.schemas[0]}",
            id="bad-field",
        )
