"""Components and DAGs: what refers to what, what waits for what, what each thing is called."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Iterator

from crossdock.dsl.errors import did_you_mean
from crossdock_adapters.orchestrators._kfp_ir.checks.cel import NoExpression, inputs_of
from crossdock_adapters.orchestrators._kfp_ir.checks.model import (
    ROOT,
    Model,
    Node,
    SpecProblem,
    bound,
    is_last,
    reference,
    where,
)
from crossdock_adapters.orchestrators._kfp_ir.checks.source import Path

_PIPELINE = re.compile(r"^[a-z0-9][a-z0-9-]{0,127}$")
_TASK = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9-]*$")
LONGEST_TASK = 121
"""Characters of a task's name. Argo takes 128, and KFP puts `-driver` behind it."""
_OTHER = re.compile(r"[^a-z0-9]+")


def names(model: Model) -> Iterator[SpecProblem]:
    """Names that the API server, Argo or the driver refuse."""
    name = model.spec.get("pipelineInfo", {}).get("name", "")
    if not _PIPELINE.match(name):
        yield SpecProblem(
            ("pipelineInfo", "name"),
            f"{name!r} is no name of a pipeline: lower-case letters, digits and '-', at most 128"
            if name
            else "a pipeline has a name",
            f"name: {_better(name) or 'my-pipeline'}",
            id="bad-native-name",
        )
    for path, _, tasks in model.dags():
        for key, task in tasks.items():
            place = (*path, "tasks", key)
            if not _TASK.match(key) or len(key) > LONGEST_TASK:
                yield SpecProblem(
                    place,
                    f"{key!r} is no name of a task: it has letters, digits and '-', at most {LONGEST_TASK}",
                    f"call it {_better(key)[:LONGEST_TASK] or 'a-task'}",
                    id="bad-native-name",
                )
            if not task.get("taskInfo", {}).get("name"):
                yield SpecProblem(
                    (*place, "taskInfo"), "a task has a name in `taskInfo`: its driver asks for it",
                    f"taskInfo: {{name: {key}}}", id="bad-native-name",
                )  # fmt: skip


def _better(name: str) -> str:
    return _OTHER.sub("-", name.lower()).strip("-")[:128]


def components(model: Model) -> Iterator[SpecProblem]:
    """Components that are not there, are nothing, or are called as the root."""
    if ROOT in model.spec.get("components", {}):
        yield SpecProblem(
            ("components", ROOT), "`root` is the name of the pipeline itself", "give the component another name",
            id="bad-native-name",
        )  # fmt: skip
    if not model.spec.get("root"):
        yield SpecProblem((), "there is no `root`, the pipeline's own DAG", "root: {dag: {tasks: …}}", id="bad-field")
    for name, component in model.components.items():
        label = component.get("executorLabel")
        if label is not None and label not in model.executors:
            yield SpecProblem(
                (*where(name), "executorLabel"),
                f"there is no executor {label!r}",
                did_you_mean(label, model.executors),
                id="dangling-reference",
            )
        if component and label is None and "dag" not in component:
            yield SpecProblem(
                where(name), "a component is a DAG or has an executor", "add executorLabel: NAME", id="bad-field"
            )
    for path, _, tasks in model.dags():
        for key, task in tasks.items():
            if model.component_of(task) is None and reference(task) not in model.spec.get("components", {}):
                known = [name for name in model.components if name != ROOT]
                yield SpecProblem(
                    (*path, "tasks", key, "componentRef"),
                    f"there is no component {reference(task)!r}" if reference(task) else "a task names its component",
                    did_you_mean(reference(task), known),
                    id="dangling-reference",
                )
    inside = {
        name: [
            reference(task) for task in component.get("dag", {}).get("tasks", {}).values() if reference(task) != ROOT
        ]
        for name, component in model.components.items()
    }
    circle = _circle(inside)
    if circle:
        yield SpecProblem(
            where(circle[0]), f"it is a part of itself: {' → '.join(circle)}", "take one of them out", id="cycle"
        )


def edges(model: Model) -> Iterator[SpecProblem]:
    """What a task waits for: it is beside it, it ends before, and it is written down."""
    for path, _, tasks in model.dags():
        if not any(not is_last(task) for task in tasks.values()):
            what = "only exit tasks" if tasks else "no tasks"
            yield SpecProblem(
                (*path, "tasks"), f"a DAG with {what} runs nothing: KFP refuses it", "add a task", id="bad-edge"
            )
        graph: dict[str, list[str]] = {}
        for key, task in tasks.items():
            place = (*path, "tasks", key)
            waits = task.get("dependentTasks", [])
            for index, other in enumerate(waits):
                yield from _wait(tasks, (*place, "dependentTasks", index), other)
            producers = list(_producers(task))
            for at, producer in producers:
                if producer not in tasks:
                    yield SpecProblem(
                        (*place, *at), f"there is no task {producer!r} in this DAG", did_you_mean(producer, tasks),
                        id="dangling-reference",
                    )  # fmt: skip
                elif producer not in waits:
                    yield SpecProblem(
                        (*place, *at), f"it reads from {producer!r} without waiting for it: not all backends add that",
                        f"add {producer!r} to dependentTasks", id="bad-edge",
                    )  # fmt: skip
            if is_last(task) and len(waits) != 1:
                times = (
                    f"this for {len(waits)}: it runs after each of them" if waits else "this for none: it never runs"
                )
                yield SpecProblem(
                    place,
                    f"an exit task waits for one task, and {times}",
                    "put what comes before it into one DAG, and wait for that",
                    id="bad-edge",
                )
            graph[key] = [other for other in (*waits, *(name for _, name in producers)) if other in tasks]
        circle = _circle(graph)
        if circle:
            yield SpecProblem(
                (*path, "tasks", circle[0]),
                f"tasks wait for each other: {' → '.join(circle)}",
                "remove an edge",
                id="cycle",
            )
        yield from _exits(path, tasks)


def _wait(tasks: Node, place: Path, other: str) -> Iterator[SpecProblem]:
    if other not in tasks:
        yield SpecProblem(
            place, f"there is no task {other!r} in this DAG", did_you_mean(other, tasks), id="dangling-reference"
        )
    elif is_last(tasks[other]):
        yield SpecProblem(
            place,
            f"{other!r} is an exit task, a hook that nothing can wait for",
            "wait for another task",
            id="bad-edge",
        )


def _exits(path: Path, tasks: Node) -> Iterator[SpecProblem]:
    seen: dict[str, str] = {}
    for key, task in tasks.items():
        if not is_last(task):
            continue
        for other in task.get("dependentTasks", []):
            if other in seen:
                yield SpecProblem(
                    (*path, "tasks", key, "dependentTasks"),
                    f"{other!r} has an exit task already, {seen[other]!r}, and KFP keeps one",
                    "put both into one DAG",
                    id="bad-edge",
                )
            seen[other] = key


def _producers(task: Node) -> Iterator[tuple[Path, str]]:
    """The tasks that a task takes something from, and where it says so."""
    for kind in ("parameters", "artifacts"):
        for name, source in bound(task, kind).items():
            for field in ("taskOutputParameter", "taskOutputArtifact", "taskFinalStatus"):
                if field in source:
                    yield ("inputs", kind, name, field), source[field].get("producerTask", "")


def _circle(graph: dict[str, list[str]]) -> list[str]:
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def conditions(model: Model) -> Iterator[SpecProblem]:
    """Conditions that CEL cannot read, or that read what the task does not have."""
    for path, _, tasks in model.dags():
        for key, task in tasks.items():
            text = task.get("triggerPolicy", {}).get("condition")
            if not text:
                continue
            place = (*path, "tasks", key, "triggerPolicy", "condition")
            try:
                read = inputs_of(text)
            except NoExpression as error:
                yield SpecProblem(
                    place, f"{text!r} is no expression of CEL: {error}",
                    "inputs.parameter_values['NAME'] == 'value'", id="bad-native-condition",
                )  # fmt: skip
                continue
            given = bound(task, "parameters")
            for name in sorted(read - set(given)):
                yield SpecProblem(
                    place, f"the task has no input {name!r}", did_you_mean(name, given), id="bad-native-condition"
                )
