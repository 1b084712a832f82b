"""Which of our tasks a task of a pipeline spec is, read from the spec alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.dsl.frozen import frozen

_INPUT = re.compile(r"\{\{\$\.inputs\.parameters\['([^']+)'\]\}\}")


@frozen
class Place:
    """A task of a spec.

    Attributes:
        task: our id of it.
        items: the inputs that say which item it is, outermost map first.
    """

    task: str
    items: tuple[str, ...] = ()


def places(spec: Mapping[str, Any]) -> dict[str, Place]:
    """The tasks that run a container of ours, by their names, which are unique in a spec."""
    found = {}
    for name, _, component in _nodes(spec):
        executor = spec["deploymentSpec"]["executors"].get(component.get("executorLabel"), {})
        arguments = executor.get("container", {}).get("args", [])
        task = _after(arguments, "--task")
        if task is not None:
            found[name] = Place(task, tuple(_INPUT.findall(_after(arguments, "--index") or "")))
    return found


def inside(spec: Mapping[str, Any], name: str) -> list[str]:
    """Names of all nodes below a node, at any depth."""
    dag = next((component.get("dag") for node, _, component in _nodes(spec) if node == name), None)
    return [node for node, _, _ in _below(spec, dag)] if dag else []


def _nodes(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    yield from _below(spec, spec["root"].get("dag", {}))


def _below(
    spec: Mapping[str, Any], dag: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    for name, node in dag.get("tasks", {}).items():
        component = spec["components"].get(node["componentRef"]["name"], {})
        yield name, node, component
        yield from _below(spec, component.get("dag", {}))


def _after(arguments: list[Any], option: str) -> str | None:
    return next((str(value) for before, value in itertools.pairwise(arguments) if before == option), None)
