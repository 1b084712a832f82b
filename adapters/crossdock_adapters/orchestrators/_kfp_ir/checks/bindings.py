"""What each task gives to its component, and where it takes it from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.dsl.errors import did_you_mean
from crossdock_adapters.orchestrators._kfp_ir.checks.model import (
    CHANNEL,
    Model,
    Node,
    SpecProblem,
    bound,
    declared,
    item_of,
)
from crossdock_adapters.orchestrators._kfp_ir.checks.source import Path

_KINDS = (("parameters", "Parameter"), ("artifacts", "Artifact"))


def inputs(model: Model) -> Iterator[SpecProblem]:
    """Inputs that the component does not have, that are missing, or that come from nowhere."""
    for path, owner, tasks in model.dags():
        for key, task in tasks.items():
            place = (*path, "tasks", key)
            component = model.component_of(task)
            for kind, noun in _KINDS:
                for name, source in bound(task, kind).items():
                    at = (*place, "inputs", kind, name)
                    if component is not None and not _takes(component, kind, name, source):
                        known = declared(component, "input", kind)
                        yield SpecProblem(
                            at, f"the component has no input {name!r} among its {kind}", did_you_mean(name, known),
                            id="bad-binding",
                        )  # fmt: skip
                    yield from _source(model, owner, tasks, source, noun, at)
                if component is not None:
                    yield from _missing(task, component, kind, place)
            yield from _loop(task, component, place)


def _takes(component: Node, kind: str, name: str, source: Node) -> bool:
    """Whether an input may be given: KFP's compiler adds the texts of resources, and what is in texts."""
    constant = source.get("runtimeValue", {}).get("constant")
    filled = isinstance(constant, str) and constant.startswith("{{$.inputs.")
    extra = "executorLabel" in component and (filled or name.startswith(CHANNEL))
    return extra or name in declared(component, "input", kind)


def _missing(task: Node, component: Node, kind: str, place: Path) -> Iterator[SpecProblem]:
    given = bound(task, kind)
    for name, body in declared(component, "input", kind).items():
        filled = name in given or name == item_of(task) or body.get("isOptional") or "defaultValue" in body
        if not filled and body.get("parameterType") != "TASK_CONFIG":
            yield SpecProblem(
                (*place, "inputs"), f"the component needs {name!r} among its {kind}, and the task does not give it",
                f"add it to inputs.{kind}", id="bad-binding",
            )  # fmt: skip


def _source(model: Model, owner: Node, tasks: Node, source: Node, noun: str, at: Path) -> Iterator[SpecProblem]:
    kind = f"{noun.lower()}s"
    outer = source.get(f"componentInput{noun}")
    if outer is not None:
        known = declared(owner, "input", kind)
        if outer not in known:
            yield SpecProblem(
                (*at, f"componentInput{noun}"), f"the DAG has no input {outer!r} among its {kind}",
                did_you_mean(outer, known), id="bad-binding",
            )  # fmt: skip
    output = source.get(f"taskOutput{noun}")
    if output is not None and output.get("producerTask") in tasks:
        producer = output["producerTask"]
        yield from _output(model, tasks[producer], producer, kind, output.get(f"output{noun}Key", ""), at)
    if not any(field in source for field in (f"componentInput{noun}", f"taskOutput{noun}", *_CONSTANTS)):
        yield SpecProblem(
            at, "nothing says where the value comes from", f"componentInput{noun}: NAME", id="bad-binding"
        )


_CONSTANTS = ("runtimeValue", "taskFinalStatus")


def _output(model: Model, task: Node, name: str, kind: str, key: str, at: Path) -> Iterator[SpecProblem]:
    component = model.component_of(task)
    if component is None:
        return
    known = declared(component, "output", kind)
    if key not in known:
        yield SpecProblem(
            at, f"task {name!r} has no output {key!r} among its {kind}", did_you_mean(key, known), id="bad-binding"
        )


def _loop(task: Node, component: Node | None, place: Path) -> Iterator[SpecProblem]:
    for iterator, kind, key in (
        ("parameterIterator", "parameters", "inputParameter"),
        ("artifactIterator", "artifacts", "inputArtifact"),
    ):
        body = task.get(iterator)
        if body is None:
            continue
        item = body.get("itemInput", "")
        if component is not None and item not in declared(component, "input", kind):
            known = declared(component, "input", kind)
            yield SpecProblem(
                (*place, iterator, "itemInput"), f"the component has no input {item!r} among its {kind}",
                did_you_mean(item, known), id="bad-binding",
            )  # fmt: skip
        items = body.get("items", {})
        if key in items:
            if items[key] not in bound(task, kind):
                yield SpecProblem(
                    (*place, iterator, "items"), f"the task has no input {items[key]!r} to take the items from",
                    did_you_mean(items[key], bound(task, kind)), id="bad-binding",
                )  # fmt: skip
        elif "raw" not in items or not _is_list(items["raw"]):
            yield SpecProblem(
                (*place, iterator, "items"), "a loop's items are an input of the task, or a JSON list in `raw`",
                "items: {raw: '[1, 2]'}", id="bad-binding",
            )  # fmt: skip


def _is_list(text: str) -> bool:
    import json

    try:
        return isinstance(json.loads(text), list)
    except (ValueError, RecursionError):
        return "{{" in text


def outputs(model: Model) -> Iterator[SpecProblem]:
    """Outputs of DAGs that none of their tasks has."""
    for path, owner, tasks in model.dags():
        given: Mapping[str, Any] = owner["dag"].get("outputs", {})
        for kind, noun in _KINDS:
            for name in declared(owner, "output", kind):
                if name not in given.get(kind, {}):
                    yield SpecProblem(
                        (*path, "outputs"), f"no task gives the output {name!r} among its {kind}",
                        f"add it to dag.outputs.{kind}", id="bad-binding",
                    )  # fmt: skip
            for name, body in given.get(kind, {}).items():
                for selector in _selectors(body):
                    at = (*path, "outputs", kind, name)
                    task = selector.get("producerSubtask", "")
                    if task not in tasks:
                        yield SpecProblem(
                            at,
                            f"there is no task {task!r} in this DAG",
                            did_you_mean(task, tasks),
                            id="dangling-reference",
                        )
                    else:
                        yield from _output(model, tasks[task], task, kind, selector.get(f"output{noun}Key", ""), at)


def _selectors(body: Node) -> Iterator[Node]:
    if "valueFromParameter" in body:
        yield body["valueFromParameter"]
    yield from body.get("valueFromOneof", {}).get("parameterSelectors", [])
    yield from body.get("artifactSelectors", [])
