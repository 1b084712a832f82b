"""The contract between the compiler and the runtime: the types of a plan, and their JSON.

A plan is immutable. Equal plans have equal bytes; `Plan.from_json(plan.to_json()) == plan`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeAlias

from crossdock.dsl.errors import PlanError
from crossdock.dsl.settings import Cache, Resources, Retry, Secret, Settings
from crossdock_runtime.bindings import (
    Binding,
    Collect,
    Output,
    Param,
    Predicate,
    binding_json,
    leaves,
    operands,
    predicate_json,
    read_binding,
    read_predicate,
)

CONTRACT = 1
"""Version of the runtime's command and of the run protocol."""
PLAN_FORMAT = 1
"""Version of the plan's JSON."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A pipeline parameter. `default` is tagged JSON; `required` says that there is none."""

    name: str
    type: str
    required: bool = True
    default: Any = None
    artifact: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a task. A skipped source of an optional input is None instead of skipping the task."""

    binding: Binding
    type: str
    artifact: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class OutputType:
    """A declared output of a task. `materializer` is `module:Class` where the user chose one."""

    type: str
    artifact: bool = False
    materializer: str | None = None


@dataclass(frozen=True, slots=True)
class PythonCode:
    """A step function: `module:qualname`, the digest of its code, its way of returning outputs (`none`, `single`,
    `tuple`, `namedtuple`), and the libraries that it imports."""

    ref: str
    digest: str
    shape: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Word:
    """A placeholder in a program's words: `kind` is `input_path`, `input_value` or `output_path`."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Program:
    """A container step: its words are text or placeholders. The image is the task's setting."""

    command: tuple[str | Word, ...]
    args: tuple[str | Word, ...]


@dataclass(frozen=True, slots=True)
class GateCode:
    """A task of our own that only evaluates gates."""


Code: TypeAlias = PythonCode | Program | GateCode


@dataclass(frozen=True, slots=True)
class Task:
    """A node of the plan: one use of a step.

    Attributes:
        id: unique, label-safe.
        step: the step's name.
        code: what runs.
        inputs, outputs: by name, in the step's order.
        after: ids of tasks that must be done first, with no data between.
        scope: id of the innermost branch or map it stands in.
        group: names of the nested pipelines it stands in, outermost first; for display.
        settings: all that was set, defaults merged in.
    """

    id: str
    step: str
    code: Code
    inputs: Mapping[str, Input] = field(default_factory=dict)
    outputs: Mapping[str, OutputType] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    scope: str | None = None
    group: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)

    def sources(self) -> Iterator[Binding]:
        """Every binding of its inputs, taken apart."""
        for item in self.inputs.values():
            yield from leaves(item.binding)


@dataclass(frozen=True, slots=True)
class Gate:
    """A predicate, and the task that evaluates it once its own outputs are there."""

    id: str
    predicate: Predicate
    task: str | None = None


@dataclass(frozen=True, slots=True)
class BranchScope:
    """The tasks in it run when the gate says `expect`."""

    id: str
    gate: str
    expect: bool
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class MapScope:
    """The tasks in it run once for each item; `concurrency` is how many items at once, None for no limit."""

    id: str
    items: Binding
    concurrency: int | None = None
    parent: str | None = None


Scope: TypeAlias = BranchScope | MapScope


@dataclass(frozen=True, slots=True)
class Source:
    """How the user's code is imported: folders relative to the project's root, put on `sys.path` in this order."""

    python_path: tuple[str, ...] = (".",)


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

    def to_document(self) -> dict[str, Any]:
        """The plan as JSON-able data; what is default is left out."""
        return _drop(
            {
                "format": PLAN_FORMAT,
                "pipeline": self.name,
                "parameters": [_parameter_json(item) for item in self.parameters.values()],
                "tasks": [_task_json(task) for task in self.tasks],
                "gates": [
                    _drop({"id": gate.id, "task": gate.task, "predicate": predicate_json(gate.predicate)})
                    for gate in self.gates.values()
                ],
                "scopes": [_scope_json(scope) for scope in self.scopes.values()],
                "outputs": {name: _input_json(item) for name, item in self.outputs.items()},
                "on_exit": self.on_exit,
                "on_failure": self.on_failure,
                "python_path": list(self.source.python_path),
            }
        )

    def to_json(self, *, indent: int | None = None) -> str:
        """The plan's text: the same plan gives the same bytes on every machine."""
        separators = (",", ": ") if indent else (",", ":")
        return json.dumps(self.to_document(), indent=indent, separators=separators, allow_nan=False)

    @cached_property
    def digest(self) -> str:
        """sha256 of the plan's compact text, in hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

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
            )
        try:
            return cls(
                name=body["pipeline"],
                tasks=tuple(_read_task(item) for item in body["tasks"]),
                parameters={item["name"]: _read_parameter(item) for item in body.get("parameters", ())},
                gates={
                    item["id"]: Gate(item["id"], read_predicate(item["predicate"]), item.get("task"))
                    for item in body.get("gates", ())
                },
                scopes={item["id"]: _read_scope(item) for item in body.get("scopes", ())},
                outputs={name: _read_input(item) for name, item in body.get("outputs", {}).items()},
                on_exit=body.get("on_exit"),
                on_failure=body.get("on_failure", "stop"),
                source=Source(tuple(body.get("python_path", (".",)))),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise PlanError(f"not a plan: {type(error).__name__}: {error}") from None

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The plan of its text.

        Raises:
            PlanError: it is no plan, or of another format.
        """
        try:
            body = json.loads(text)
        except ValueError as error:
            raise PlanError(f"not a plan: {error}") from None
        if not isinstance(body, dict):
            raise PlanError("not a plan: no JSON object")
        return cls.from_document(body)


def _producers(bindings: Iterator[Binding]) -> dict[str, None]:
    return {source.task: None for source in bindings if isinstance(source, (Output, Collect))}


def _drop(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value is not None and value != [] and value != {}}


def _parameter_json(item: Parameter) -> dict[str, Any]:
    body: dict[str, Any] = {"name": item.name, "type": item.type}
    if not item.required:
        body["default"] = item.default
    if item.artifact:
        body["artifact"] = True
    return body


def _read_parameter(body: Mapping[str, Any]) -> Parameter:
    return Parameter(
        body["name"], body["type"], "default" not in body, body.get("default"), body.get("artifact", False)
    )


def _input_json(item: Input) -> dict[str, Any]:
    body: dict[str, Any] = {"from": binding_json(item.binding), "type": item.type}
    if item.artifact:
        body["artifact"] = True
    if item.optional:
        body["optional"] = True
    return body


def _read_input(body: Mapping[str, Any]) -> Input:
    return Input(
        read_binding(body["from"]), body["type"], body.get("artifact", False), body.get("optional", False)
    )


def _output_json(item: OutputType) -> dict[str, Any]:
    body: dict[str, Any] = {"type": item.type}
    if item.artifact:
        body["artifact"] = True
    if item.materializer is not None:
        body["materializer"] = item.materializer
    return body


def _word_json(word: str | Word) -> Any:
    return word if isinstance(word, str) else {word.kind: word.name}


def _read_word(body: Any) -> str | Word:
    if isinstance(body, str):
        return body
    ((kind, name),) = body.items()
    return Word(kind, name)


def _code_json(code: Code) -> dict[str, Any]:
    if isinstance(code, PythonCode):
        return _drop(
            {"python": code.ref, "digest": code.digest, "returns": code.shape, "imports": list(code.imports)}
        )
    if isinstance(code, Program):
        return {"command": [_word_json(word) for word in code.command], "args": [_word_json(word) for word in code.args]}
    return {"gate": True}


def _read_code(body: Mapping[str, Any]) -> Code:
    if "python" in body:
        return PythonCode(body["python"], body["digest"], body["returns"], tuple(body.get("imports", ())))
    if "command" in body:
        return Program(
            tuple(_read_word(word) for word in body["command"]), tuple(_read_word(word) for word in body["args"])
        )
    return GateCode()


def _task_json(task: Task) -> dict[str, Any]:
    return _drop(
        {
            "id": task.id,
            "step": task.step,
            "code": _code_json(task.code),
            "inputs": {name: _input_json(item) for name, item in task.inputs.items()},
            "outputs": {name: _output_json(item) for name, item in task.outputs.items()},
            "after": list(task.after),
            "scope": task.scope,
            "group": list(task.group),
            "settings": settings_json(task.settings),
        }
    )


def _read_task(body: Mapping[str, Any]) -> Task:
    return Task(
        id=body["id"],
        step=body["step"],
        code=_read_code(body["code"]),
        inputs={name: _read_input(item) for name, item in body.get("inputs", {}).items()},
        outputs={
            name: OutputType(item["type"], item.get("artifact", False), item.get("materializer"))
            for name, item in body.get("outputs", {}).items()
        },
        after=tuple(body.get("after", ())),
        scope=body.get("scope"),
        group=tuple(body.get("group", ())),
        settings=read_settings(body.get("settings", {})),
    )


def _scope_json(scope: Scope) -> dict[str, Any]:
    if isinstance(scope, BranchScope):
        return _drop({"id": scope.id, "gate": scope.gate, "expect": scope.expect, "parent": scope.parent})
    return _drop(
        {"id": scope.id, "items": binding_json(scope.items), "concurrency": scope.concurrency, "parent": scope.parent}
    )


def _read_scope(body: Mapping[str, Any]) -> Scope:
    if "gate" in body:
        return BranchScope(body["id"], body["gate"], body["expect"], body.get("parent"))
    return MapScope(body["id"], read_binding(body["items"]), body.get("concurrency"), body.get("parent"))


_DEFAULTS = {
    Resources: Resources(),
    Retry: Retry(max_attempts=1),
    Cache: Cache(),
}


def _fields_json(item: Any) -> dict[str, Any]:
    default = _DEFAULTS[type(item)]
    body = {}
    for name in type(item).__dataclass_fields__:
        value = getattr(item, name)
        if value != getattr(default, name):
            body[name] = list(value) if isinstance(value, tuple) else value
    return body


def settings_json(settings: Settings) -> dict[str, Any]:
    """The JSON of a task's settings; what is not set is left out."""
    body: dict[str, Any] = {}
    for name in ("resources", "retry", "cache"):
        item = getattr(settings, name)
        if item is not None:
            body[name] = _fields_json(item)
    if settings.timeout is not None:
        body["timeout"] = settings.timeout
    if settings.image is not None:
        body["image"] = settings.image
    if settings.requirements is not None:
        body["requirements"] = list(settings.requirements)
    for name in ("env", "labels", "targets"):
        mapping = getattr(settings, name)
        if mapping:
            body[name] = dict(sorted(mapping.items()))
    if settings.secrets:
        body["secrets"] = {
            name: {secret.source: secret.reference} for name, secret in sorted(settings.secrets.items())
        }
    return body


def read_settings(body: Mapping[str, Any]) -> Settings:
    """The settings of their JSON."""
    if not body:
        return Settings()
    return Settings(
        resources=Resources(**body["resources"]) if "resources" in body else None,
        retry=Retry(**{"max_attempts": 1, **body["retry"]}) if "retry" in body else None,
        cache=Cache(**body["cache"]) if "cache" in body else None,
        timeout=body.get("timeout"),
        image=body.get("image"),
        requirements=tuple(body["requirements"]) if "requirements" in body else None,
        env=body.get("env", {}),
        labels=body.get("labels", {}),
        targets=body.get("targets", {}),
        secrets={name: Secret(**reference) for name, reference in body.get("secrets", {}).items()},
    )
