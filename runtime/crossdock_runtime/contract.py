"""The contract between the compiler and the runtime: the plan, and its JSON.

A plan is immutable. Equal plans have equal bytes; `Plan.from_json(plan.to_json()) == plan`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Self

from crossdock.dsl.errors import PlanError
from crossdock.dsl.frozen import freeze
from crossdock_runtime.bindings import (
    Binding,
    Collect,
    Output,
    Param,
    leaves,
    operands,
    predicate_json,
    read_predicate,
)
from crossdock_runtime.nodes import (
    BranchScope,
    Code,
    Gate,
    GateCode,
    Input,
    MapScope,
    OutputType,
    Packaging,
    Parameter,
    Program,
    PythonCode,
    Scope,
    Source,
    Task,
    Word,
)
from crossdock_runtime.nodes_json import (
    drop_empty,
    input_json,
    packaging_json,
    parameter_json,
    read_input,
    read_packaging,
    read_parameter,
    read_scope,
    read_task,
    scope_json,
    task_json,
)

__all__ = [
    "CONTRACT",
    "PLAN_FORMAT",
    "BranchScope",
    "Code",
    "Gate",
    "GateCode",
    "Input",
    "MapScope",
    "OutputType",
    "Packaging",
    "Parameter",
    "Plan",
    "Program",
    "PythonCode",
    "Scope",
    "Source",
    "Task",
    "Word",
]

CONTRACT = 1
"""Version of the runtime's command and of the run protocol."""
PLAN_FORMAT = 1
"""Version of the plan's JSON."""
_DAMAGED = "take it from where it was written again, or compile the pipeline again"


@dataclass(frozen=True)
class Plan:
    """The compiled DAG of one pipeline. Tasks stand in an order in which they could run.

    Attributes:
        name: the pipeline's name.
        parameters, gates, scopes: by name or id.
        outputs: what the pipeline returns, by name.
        on_exit: id of the exit task.
        on_failure: `stop` or `continue`.
        source: how the user's code is imported.
        packaging: where code and images are, in a plan that is published for a stack; None before that.
    """

    FORMAT: ClassVar[int] = PLAN_FORMAT

    name: str
    tasks: tuple[Task, ...]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    gates: Mapping[str, Gate] = field(default_factory=dict)
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    outputs: Mapping[str, Input] = field(default_factory=dict)
    on_exit: str | None = None
    on_failure: str = "stop"
    source: Source = field(default_factory=Source)
    packaging: Packaging | None = None

    def __post_init__(self) -> None:
        freeze(self, "parameters", "gates", "scopes", "outputs")

    @cached_property
    def by_id(self) -> Mapping[str, Task]:
        """Tasks by id."""
        return MappingProxyType({task.id: task for task in self.tasks})

    @cached_property
    def gates_of(self) -> Mapping[str, tuple[Gate, ...]]:
        """The gates that each task evaluates."""
        found: dict[str, list[Gate]] = {}
        for gate in self.gates.values():
            if gate.task is not None:
                found.setdefault(gate.task, []).append(gate)
        return {task: tuple(gates) for task, gates in found.items()}

    def scopes_of(self, scope: str | None) -> tuple[Scope, ...]:
        """The enclosing scopes, outermost first."""
        chain: list[Scope] = []
        while scope is not None:
            found = self.scopes[scope]
            chain.append(found)
            scope = found.parent
        return tuple(reversed(chain))

    def maps_of(self, scope: str | None) -> tuple[MapScope, ...]:
        """The enclosing maps, outermost first; their number is the length of the task's index."""
        return tuple(found for found in self.scopes_of(scope) if isinstance(found, MapScope))

    def shared_maps(self, scope: str | None, other: str | None) -> int:
        """How many maps enclose both scopes."""
        count = 0
        for mine, theirs in zip(self.maps_of(scope), self.maps_of(other), strict=False):
            if mine.id != theirs.id:
                break
            count += 1
        return count

    def upstream(self, task: Task) -> tuple[str, ...]:
        """Ids of the tasks that must be terminal before this one, in a stable order, each once."""
        found: dict[str, None] = {}
        for source in task.sources():
            if isinstance(source, (Output, Collect)):
                found[source.task] = None
        for other in task.after:
            found[other] = None
        scope = task.scope
        while scope is not None:
            enclosing = self.scopes[scope]
            if isinstance(enclosing, BranchScope):
                gate = self.gates[enclosing.gate]
                if gate.task is not None:
                    found[gate.task] = None
                else:
                    found.update(_producers(operands(gate.predicate)))
            else:
                found.update(_producers(leaves(enclosing.items)))
            scope = enclosing.parent
        for gate in self.gates_of.get(task.id, ()):
            for source in operands(gate.predicate):
                if isinstance(source, (Output, Collect)) and source.task != task.id:
                    found[source.task] = None
        found.pop(task.id, None)
        return tuple(found)

    def parameters_of(self, task: Task) -> tuple[str, ...]:
        """Names of the pipeline parameters that the task needs, those of its gates and maps included."""
        found: dict[str, None] = {}
        sources = list(task.sources())
        for gate in self.gates_of.get(task.id, ()):
            sources.extend(operands(gate.predicate))
        for scope in self.maps_of(task.scope):
            sources.extend(leaves(scope.items))
        for source in sources:
            if isinstance(source, Param):
                found[source.name] = None
            elif isinstance(source, Collect):
                for scope in self.maps_of(self.by_id[source.task].scope):
                    found.update({leaf.name: None for leaf in leaves(scope.items) if isinstance(leaf, Param)})
        return tuple(found)

    def image_of(self, task: Task) -> str | None:
        """The image that a task runs in: its own where it is a program, else that of the packaging, else its own."""
        if self.packaging is None or isinstance(task.code, Program):
            return task.settings.image
        return self.packaging.images.get(task.id) or self.packaging.image or task.settings.image

    def to_document(self) -> dict[str, Any]:
        """The plan as JSON-able data; what is default is left out."""
        return drop_empty(
            {
                "format": PLAN_FORMAT,
                "pipeline": self.name,
                "parameters": [parameter_json(item) for item in self.parameters.values()],
                "tasks": [task_json(task) for task in self.tasks],
                "gates": [
                    drop_empty({"id": gate.id, "task": gate.task, "predicate": predicate_json(gate.predicate)})
                    for gate in self.gates.values()
                ],
                "scopes": [scope_json(scope) for scope in self.scopes.values()],
                "outputs": {name: input_json(item) for name, item in self.outputs.items()},
                "on_exit": self.on_exit,
                "on_failure": self.on_failure,
                "python_path": list(self.source.python_path),
                "packaging": None if self.packaging is None else packaging_json(self.packaging),
            }
        )

    def to_json(self, *, indent: int | None = None) -> str:
        """The plan's text: the same plan gives the same bytes on every machine."""
        if indent is None:
            return self._compact
        return json.dumps(self.to_document(), indent=indent, allow_nan=False)

    @cached_property
    def _compact(self) -> str:
        return json.dumps(self.to_document(), separators=(",", ":"), allow_nan=False)

    @cached_property
    def digest(self) -> str:
        """sha256 of the plan's compact text, in hex."""
        return hashlib.sha256(self._compact.encode()).hexdigest()

    @cached_property
    def unpackaged(self) -> Plan:
        """The plan without its packaging: what two stacks, and two runs of the same code, have in common."""
        return self if self.packaging is None else replace(self, packaging=None)

    @classmethod
    def from_document(cls, body: Mapping[str, Any]) -> Self:
        """The plan of its JSON-able data.

        Raises:
            PlanError: it was written by another version, or is no plan.
        """
        found = body.get("format")
        if found != PLAN_FORMAT:
            older = "the plan" if isinstance(found, int) and found < PLAN_FORMAT else "this installation"
            raise PlanError(
                f"the plan has format {found!r}, this installation reads {PLAN_FORMAT}: {older} is the older side",
                hint="use the same version of crossdock to compile and to run",
                id="plan-of-another-version",
            )
        try:
            return cls(
                name=body["pipeline"],
                tasks=tuple(read_task(item) for item in body["tasks"]),
                parameters={item["name"]: read_parameter(item) for item in body.get("parameters", ())},
                gates={
                    item["id"]: Gate(item["id"], read_predicate(item["predicate"]), item.get("task"))
                    for item in body.get("gates", ())
                },
                scopes={item["id"]: read_scope(item) for item in body.get("scopes", ())},
                outputs={name: read_input(item) for name, item in body.get("outputs", {}).items()},
                on_exit=body.get("on_exit"),
                on_failure=body.get("on_failure", "stop"),
                source=Source(tuple(body.get("python_path", (".",)))),
                packaging=read_packaging(body["packaging"]) if "packaging" in body else None,
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise PlanError(f"not a plan: {type(error).__name__}: {error}", hint=_DAMAGED) from None

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The plan of its text.

        Raises:
            PlanError: it is no plan, or of another format.
        """
        try:
            body = json.loads(text)
        except ValueError as error:
            raise PlanError(f"not a plan: {error}", hint=_DAMAGED) from None
        if not isinstance(body, dict):
            raise PlanError("not a plan: no JSON object", hint=_DAMAGED)
        return cls.from_document(body)


def _producers(bindings: Iterator[Binding]) -> dict[str, None]:
    return {source.task: None for source in bindings if isinstance(source, (Output, Collect))}
