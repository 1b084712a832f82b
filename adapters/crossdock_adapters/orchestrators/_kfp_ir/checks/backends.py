"""What each backend makes of a spec that is whole: its traps and its limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from crossdock.dsl.frozen import frozen
from crossdock_adapters.orchestrators._kfp_ir.checks.containers import (
    component_path,
    containers_of,
    interface,
    words,
)
from crossdock_adapters.orchestrators._kfp_ir.checks.model import Model, Node, SpecProblem, bound, declared, item_of
from crossdock_adapters.orchestrators._kfp_ir.checks.placeholders import of_constant, placeholders

Check = Callable[[Model], Iterator[SpecProblem]]


@frozen
class Backend:
    """Who runs a spec.

    Attributes:
        title: what people call it.
        schemas: the values of `schemaVersion` that it takes.
        platform_document: whether a second document may stand behind the spec.
        checks: what it alone refuses, or makes something else of.
    """

    title: str
    schemas: tuple[str, ...]
    platform_document: bool
    checks: tuple[Check, ...]


# Kubeflow Pipelines, https://github.com/kubeflow/pipelines/tree/master/backend/src/v2


def same_containers(model: Model) -> Iterator[SpecProblem]:
    """Components that KFP takes for one: it keys them by a hash of their container alone."""
    seen: dict[str, str] = {}
    for name, component in model.components.items():
        container = model.executors.get(component.get("executorLabel", ""), {}).get("container")
        if container is None:
            continue
        other = seen.setdefault(json.dumps(container, sort_keys=True), name)
        if interface(model.components[other]) != interface(component):
            yield SpecProblem(
                component_path(name),
                f"its container is the same as that of {other!r}, which has other inputs or outputs: KFP runs both "
                "with those of one",
                "give each container an argument of its own, such as its component's name",
                id="same-container",
            )


def unfilled(model: Model) -> Iterator[SpecProblem]:
    """Texts that KFP leaves as they are."""
    for _, path, container in containers_of(model):
        for at, text in words(container):
            for found in placeholders(text):
                if not found.resolved:
                    yield SpecProblem(
                        (*path, *at), f"KFP does not fill in {found.text}: the program gets this text",
                        "take it from {{$}}, or decide it when the spec is written", id="bad-placeholder",
                    )  # fmt: skip
        for index, variable in enumerate(container.get("env", [])):
            if "{{$" in variable.get("value", ""):
                yield SpecProblem(
                    (*path, "env", index), "KFP fills in nothing in environment variables",
                    "give it as an argument", id="bad-placeholder",
                )  # fmt: skip
    for path, _, tasks in model.dags():
        for key, task in tasks.items():
            for name, source in bound(task, "parameters").items():
                for found in of_constant(source.get("runtimeValue", {}).get("constant")):
                    if not found.resolved:
                        yield SpecProblem(
                            (*path, "tasks", key, "inputs", "parameters", name),
                            f"KFP does not fill in {found.text} here: the task gets this text",
                            "a value such as {{$.pipeline_job_uuid}} is the whole constant",
                            id="bad-placeholder",
                        )


def left_to_defaults(model: Model) -> Iterator[SpecProblem]:
    """Inputs that are named in a command and left to their default: KFP's driver looks before it fills them in."""
    for component, uses in model.uses.items():
        body = model.components.get(component, {})
        container = model.executors.get(body.get("executorLabel", ""), {}).get("container")
        if container is None:
            continue
        named = {
            found.name: found.text
            for _, text in words(container)
            for found in placeholders(text)
            if (found.side, found.kind) == ("inputs", "parameters") and not found.guarded
        }
        for use in uses:
            for name, definition in declared(body, "input", "parameters").items():
                given = name in bound(use.task, "parameters") or name == item_of(use.task)
                given = given or not (definition.get("isOptional") or "defaultValue" in definition)
                if name in named and not given:
                    yield SpecProblem(
                        (*use.path, "inputs"),
                        f"{name!r} is left to its default, and the command names it: KFP stops at {named[name]}",
                        f"give {name!r} in inputs.parameters, if need be the default itself",
                        id="bad-binding",
                    )


def if_present_of_artifacts(model: Model) -> Iterator[SpecProblem]:
    """`IfPresent` of an artifact, which KFP drops with all that is in it."""
    for name, component in model.components.items():
        label = component.get("executorLabel", "")
        container: Node = model.executors.get(label, {}).get("container", {})
        for at, text in words(container):
            for found in placeholders(text):
                if found.text.startswith("IfPresent") and found.name in declared(component, "input", "artifacts"):
                    yield SpecProblem(
                        ("deploymentSpec", "executors", label, "container", *at),
                        f"KFP drops {found.text}: the input of component {name!r} is an artifact",
                        "decide it when the spec is written",
                        id="bad-placeholder",
                    )


_STUBS = "argostub/"
"""Images of tasks that KFP's driver does itself, such as making a volume; they are never started."""


def nothing_to_run(model: Model) -> Iterator[SpecProblem]:
    """Containers without a command: KFP's launcher does not ask the image for its own."""
    for _, path, container in containers_of(model):
        of_kfp = container.get("image", "").startswith(_STUBS)
        if not container.get("command") and not container.get("args") and not of_kfp:
            yield SpecProblem(
                path, "a container has a command or arguments: KFP does not know the image's own",
                "command: [PROGRAM]", id="bad-container",
            )  # fmt: skip


def not_of_kfp(model: Model) -> Iterator[SpecProblem]:
    """What KFP's compiler says it does not have."""
    for label, executor in model.executors.items():
        for kind in ("resolver", "customJob"):
            if kind in executor:
                yield SpecProblem(
                    ("deploymentSpec", "executors", label, kind), f"KFP has no executor of the kind {kind}",
                    "use a container", id="bad-container",
                )  # fmt: skip
    for path, _, tasks in model.dags():
        for key, task in tasks.items():
            if "artifactIterator" in task:
                yield SpecProblem(
                    (*path, "tasks", key, "artifactIterator"), "KFP has no loops over artifacts yet",
                    "loop over a list parameter", id="bad-edge",
                )  # fmt: skip
            component = model.component_of(task) or {}
            importer = "importer" in model.executors.get(component.get("executorLabel", ""), {})
            if importer and task.get("triggerPolicy", {}).get("condition"):
                yield SpecProblem(
                    (*path, "tasks", key, "triggerPolicy", "condition"), "KFP takes no condition on an importer",
                    "put it into a DAG, and the condition on that", id="bad-edge",
                )  # fmt: skip


KFP = Backend(
    "Kubeflow Pipelines",
    ("2.1.0",),
    True,
    (same_containers, unfilled, left_to_defaults, if_present_of_artifacts, nothing_to_run, not_of_kfp),
)

# Vertex AI Pipelines, https://cloud.google.com/vertex-ai/docs/pipelines

_MOST_CPU = 96
_MOST_MEMORY = 624e9
_FACTORS = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "m": 1e-3}


def machines(model: Model) -> Iterator[SpecProblem]:
    """What no machine of Vertex has, and accelerators by another name than Vertex's."""
    for _, path, container in containers_of(model):
        resources = container.get("resources", {})
        for name, most in (("Cpu", _MOST_CPU), ("Memory", _MOST_MEMORY)):
            for kind in ("Limit", "Request"):
                field = f"resource{name}{kind}"
                text = resources.get(field, "")
                if _amount(text) > most:
                    yield SpecProblem(
                        (*path, "resources", field), f"{text} is more than Vertex has for a task: 96 vCPU and 624 GB",
                        "ask for less", id="bad-container",
                    )  # fmt: skip
        kind = resources.get("accelerator", {}).get("resourceType", "")
        if "/" in kind:
            yield SpecProblem(
                (*path, "resources", "accelerator", "resourceType"), f"Vertex has no accelerator {kind!r}",
                "a name such as NVIDIA_L4", id="bad-container",
            )  # fmt: skip


def _amount(text: str) -> float:
    number = text.rstrip("kKMGTim")
    try:
        return float(number) * _FACTORS.get(text[len(number) :], 1)
    except ValueError:
        return 0


def pipeline_root(model: Model) -> Iterator[SpecProblem]:
    """A root that Vertex cannot write to."""
    root = model.spec.get("defaultPipelineRoot", "")
    if root and not root.startswith("gs://"):
        yield SpecProblem(
            ("defaultPipelineRoot",), f"Vertex writes to Cloud Storage alone, and this is {root!r}",
            "gs://BUCKET/FOLDER", id="bad-field",
        )  # fmt: skip


VERTEX = Backend("Vertex AI Pipelines", ("2.1.0", "2.0.0"), False, (machines, pipeline_root))
