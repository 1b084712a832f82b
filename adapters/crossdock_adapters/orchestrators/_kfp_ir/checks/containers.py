"""Executors: what a container runs, what it asks for, which texts in it are filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from crossdock.dsl.errors import did_you_mean
from crossdock_adapters.orchestrators._kfp_ir.checks.model import (
    ROOT,
    Model,
    Node,
    SpecProblem,
    Use,
    bound,
    declared,
    where,
)
from crossdock_adapters.orchestrators._kfp_ir.checks.placeholders import Placeholder, of_constant, placeholders
from crossdock_adapters.orchestrators._kfp_ir.checks.source import Path

QUANTITY = re.compile(r"^\+?(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?$")
"""https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"""
_QUANTITIES = ("resourceCpuLimit", "resourceCpuRequest", "resourceMemoryLimit", "resourceMemoryRequest")


def containers_of(model: Model) -> Iterator[tuple[str, Path, Node]]:
    """Executor label, path and container of each executor that has one."""
    for label, executor in model.executors.items():
        if "container" in executor:
            yield label, ("deploymentSpec", "executors", label, "container"), executor["container"]


def images(model: Model) -> Iterator[SpecProblem]:
    """Executors that are nothing, and containers without an image."""
    for label, executor in model.executors.items():
        if not executor:
            yield SpecProblem(
                ("deploymentSpec", "executors", label), "an executor is a container or an importer",
                "container: {image: …, command: […]}", id="bad-field",
            )  # fmt: skip
    for _, path, container in containers_of(model):
        if not container.get("image", "").strip():
            yield SpecProblem(
                (*path, "image"), "a container has an image", "image: REGISTRY/NAME@DIGEST", id="bad-container"
            )


def quantities(model: Model) -> Iterator[SpecProblem]:
    """Amounts that Kubernetes cannot read."""
    for _, path, container in containers_of(model):
        resources = container.get("resources", {})
        accelerator = resources.get("accelerator", {})
        asked = [((*path, "resources", name), resources[name]) for name in _QUANTITIES if name in resources]
        if "resourceCount" in accelerator:
            asked.append(((*path, "resources", "accelerator", "resourceCount"), accelerator["resourceCount"]))
        for at, text in asked:
            if text and "{{$" not in text and not QUANTITY.match(text):
                yield SpecProblem(
                    at, f"{text!r} is no amount of Kubernetes", "such as 2, 500m or 4Gi", id="bad-container"
                )


def names_in_texts(model: Model) -> Iterator[SpecProblem]:
    """Placeholders of inputs and outputs that are not there."""
    for name, component in model.components.items():
        label = component.get("executorLabel", "")
        container = model.executors.get(label, {}).get("container")
        if container is None:
            continue
        for at, text in words(container):
            for found in placeholders(text):
                if found.side and not _known(model, name, component, found):
                    known = declared(component, found.side[:-1], found.kind) if found.kind else {}
                    yield SpecProblem(
                        ("deploymentSpec", "executors", label, "container", *at),
                        f"{found.text}: component {name!r} has no such {found.side[:-1]}",
                        did_you_mean(found.name, known),
                        id="bad-placeholder",
                    )
    for path, _, tasks in model.dags():
        for key, task in tasks.items():
            for name, source in bound(task, "parameters").items():
                for found in of_constant(source.get("runtimeValue", {}).get("constant")):
                    if found.side and (found.side == "outputs" or found.name not in bound(task, found.kind)):
                        yield SpecProblem(
                            (*path, "tasks", key, "inputs", "parameters", name),
                            f"{found.text}: the task has no such input",
                            did_you_mean(found.name, bound(task, found.kind)),
                            id="bad-placeholder",
                        )


def words(container: Node) -> Iterator[tuple[Path, str]]:
    """The texts of a container that are filled in, and where they are."""
    if "image" in container:
        yield ("image",), container["image"]
    for kind in ("command", "args"):
        for index, word in enumerate(container.get(kind, [])):
            yield (kind, index), word
    resources = container.get("resources", {})
    for name in _QUANTITIES:
        if name in resources:
            yield ("resources", name), resources[name]
    for name in ("resourceType", "resourceCount"):
        if name in resources.get("accelerator", {}):
            yield ("resources", "accelerator", name), resources["accelerator"][name]


def _known(model: Model, name: str, component: Node, found: Placeholder) -> bool:
    kinds = (found.kind,) if found.kind else ("parameters", "artifacts")
    if any(found.name in declared(component, found.side[:-1], kind) for kind in kinds):
        return True
    uses = model.uses.get(name, [])
    given = found.side == "inputs" and bool(uses)
    return given and all(any(found.name in bound(use.task, kind) for kind in kinds) for use in uses)


def platform(model: Model) -> Iterator[SpecProblem]:
    """Parts of the platform document that no executor has, and inputs that are not where it takes them from."""
    labels: dict[str, list[Use]] = {}
    for name, component in model.components.items():
        labels.setdefault(component.get("executorLabel", ""), []).extend(model.uses.get(name, []))
    for label, config in model.platform.items():
        path = ("platforms", "kubernetes", "deploymentSpec", "executors", label)
        if label not in model.executors:
            yield SpecProblem(
                path,
                f"there is no executor {label!r}: what it asks for is dropped",
                did_you_mean(label, model.executors),
                id="dangling-reference",
                document=1,
            )
        for at, field, value in _taken(config, path):
            for use in labels.get(label, []):
                owner = model.components[ROOT if use.path[0] == ROOT else str(use.path[1])]
                tasks = owner["dag"]["tasks"]
                known = declared(owner, "input", "parameters") if field == "componentInputParameter" else tasks
                if value not in known:
                    what = "input" if field == "componentInputParameter" else "task"
                    message = f"the DAG of task {use.name!r} has no {what} {value!r}"
                    yield SpecProblem(at, message, did_you_mean(value, known), id="dangling-reference", document=1)


def _taken(value: Any, path: Path) -> Iterator[tuple[Path, str, str]]:
    """What a part of the platform document takes from the DAG: where, how, and the name."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _taken(item, (*path, index))
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "componentInputParameter":
                yield (*path, key), key, str(inner)
            elif key == "taskOutputParameter":
                yield (*path, key), key, str(inner.get("producerTask", ""))
            else:
                yield from _taken(inner, (*path, key))


def interface(component: Node) -> tuple[Node, Node]:
    """The inputs and outputs of a component."""
    return component.get("inputDefinitions", {}), component.get("outputDefinitions", {})


def component_path(name: str) -> Path:
    """Where a component's executor is named."""
    return (*where(name), "executorLabel")
