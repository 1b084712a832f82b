"""What the checks look at: a spec whose shape is right, and what is found wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.dsl.frozen import frozen
from crossdock_adapters.orchestrators._kfp_ir.checks.source import Path

ROOT = "root"
LAST = "ALL_UPSTREAM_TASKS_COMPLETED"
CHANNEL = "pipelinechannel--"
"""How KFP's compiler calls inputs that it adds to a task for texts that are made of several values."""

Node = Mapping[str, Any]


@frozen
class SpecProblem:
    """One thing that is wrong with a spec.

    Attributes:
        path: where, from the top of its document.
        message: what is wrong, and why.
        document: 0 is the pipeline spec, 1 the platform document.
    """

    path: Path
    message: str
    hint: str
    id: str
    document: int = 0


@frozen
class Use:
    """A task that stands for a component."""

    path: Path
    name: str
    task: Node


@frozen
class Model:
    """A spec whose every part is of the right type; what is not there is empty.

    Attributes:
        spec: the `PipelineSpec`.
        executors: executor label to its `ExecutorSpec`.
        platform: executor label to its `KubernetesExecutorConfig`.
        components: name to component, the root with them.
        uses: name of a component to the tasks that stand for it.
    """

    spec: Node
    executors: Mapping[str, Node]
    platform: Mapping[str, Node]
    components: Mapping[str, Node]
    uses: Mapping[str, list[Use]]

    def dags(self) -> Iterator[tuple[Path, Node, Mapping[str, Node]]]:
        """Every DAG: where it is, the component that holds it, its tasks."""
        for name, component in self.components.items():
            if "dag" in component:
                yield (*where(name), "dag"), component, component["dag"].get("tasks", {})

    def component_of(self, task: Node) -> Node | None:
        """The component that a task stands for; None where it is not there."""
        name = reference(task)
        return None if name == ROOT else self.components.get(name)


def model_of(spec: Node, platform: Node) -> Model:
    """A model of documents whose shape was checked."""
    components = {ROOT: spec.get("root", {}), **{k: v for k, v in spec.get("components", {}).items() if k != ROOT}}
    uses: dict[str, list[Use]] = {}
    for name, component in components.items():
        for key, task in component.get("dag", {}).get("tasks", {}).items():
            uses.setdefault(reference(task), []).append(Use((*where(name), "dag", "tasks", key), key, task))
    kubernetes = platform.get("platforms", {}).get("kubernetes", {})
    return Model(
        spec,
        spec.get("deploymentSpec", {}).get("executors", {}),
        kubernetes.get("deploymentSpec", {}).get("executors", {}),
        components,
        uses,
    )


def where(component: str) -> Path:
    """The path of a component."""
    return (ROOT,) if component == ROOT else ("components", component)


def reference(task: Node) -> str:
    """The name of the component that a task stands for."""
    name: str = task.get("componentRef", {}).get("name", "")
    return name


def declared(component: Node, side: str, kind: str) -> Mapping[str, Node]:
    """The inputs or outputs of a component: `side` is input or output, `kind` parameters or artifacts."""
    found: Mapping[str, Node] = component.get(f"{side}Definitions", {}).get(kind, {})
    return found


def bound(task: Node, kind: str) -> Mapping[str, Node]:
    """What a task gives to the inputs of its component."""
    found: Mapping[str, Node] = task.get("inputs", {}).get(kind, {})
    return found


def item_of(task: Node) -> str | None:
    """The input that a loop fills with an item."""
    for kind in ("parameterIterator", "artifactIterator"):
        if kind in task:
            name: str | None = task[kind].get("itemInput")
            return name
    return None


def is_last(task: Node) -> bool:
    """Whether a task runs in any case, after those that it waits for."""
    return bool(task.get("triggerPolicy", {}).get("strategy") == LAST)
