"""From what a user passes to a step to a binding of the plan."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from crossdock.dsl import types
from crossdock.dsl.errors import TraceError
from crossdock.dsl.pipeline import Artifact, Pipeline
from crossdock.dsl.refs import Condition, Ref
from crossdock.dsl.refs import Task as TaskRef
from crossdock.dsl.settings import Settings, no_settings
from crossdock.dsl.step import ContainerStep, Step
from crossdock.ir import (
    Binding,
    Collect,
    DictOf,
    Gate,
    Item,
    ListOf,
    Literal,
    MapScope,
    Output,
    Param,
    Parameter,
    RunOutput,
    Scope,
    Task,
    Uri,
)
from crossdock_runtime import values


@dataclass(slots=True)
class Frame:
    """What encloses the calls now: the scope, the nested pipelines and their settings."""

    scope: str | None = None
    group: tuple[str, ...] = ()
    settings: Settings = field(default_factory=no_settings)


class Binder:
    """What is written down so far, and how values are bound to it."""

    def __init__(self, settings: Settings) -> None:
        self.tasks: dict[str, Task] = {}
        self.locations: dict[str, str] = {}
        self.parameters: dict[str, Parameter] = {}
        self.gates: dict[str, Gate] = {}
        self.scopes: dict[str, Scope] = {}
        self.frame = Frame(settings=settings)
        self.exit: str | None = None
        self._counts: dict[str, int] = {}

    @contextmanager
    def _inside(self, **changes: Any) -> Iterator[None]:
        outer = self.frame
        self.frame = Frame(
            changes.get("scope", outer.scope),
            changes.get("group", outer.group),
            changes.get("settings", outer.settings),
        )
        try:
            yield
        finally:
            self.frame = outer

    def _unique(self, stem: str, taken: Mapping[str, Any]) -> str:
        count = self._counts.get(f"<{stem}>", 0) + 1
        self._counts[f"<{stem}>"] = count
        return f"{stem}-{count}"

    def _bind(self, value: Any, what: str, where: str, target: Any = None) -> tuple[Binding, Any]:
        if isinstance(value, Ref):
            self._visible(value._binding, what, where)
            return value._binding, value._type
        if isinstance(value, Condition):
            raise TraceError(f"{what} is given a comparison", where=where, hint="compare inside a step, or use when(…)")
        if isinstance(value, TaskRef):
            if len(value._outputs) == 1:
                return self._bind(next(iter(value._outputs.values())), what, where, target)
            known = ", ".join(f".{name}" for name in value._outputs)
            hint = f"pick one of its outputs: {known}" if known else "order the two with .after(…)"
            raise TraceError(f"{what} is given a whole task with {len(value._outputs)} outputs", where=where, hint=hint)
        if isinstance(value, Artifact):
            if value.uri is not None:
                return Uri(value.uri), Any
            task, _, name = str(value.output).rpartition(".")
            return RunOutput(str(value.run), task, name), Any
        if isinstance(value, (Step, ContainerStep, Pipeline)):
            raise TraceError(f"{what} is given {value!r} itself", where=where, hint="call it: step(…)")
        if isinstance(value, (list, tuple)) and _holds_ref(value):
            bound = [self._bind(item, what, where) for item in value]
            return ListOf(tuple(item for item, _ in bound)), _list_of([kind for _, kind in bound])
        if isinstance(value, dict) and _holds_ref(value.values()):
            for key in value:
                if not isinstance(key, str):
                    raise TraceError(f"{what}: a dict that holds task results has text keys, not {key!r}", where=where)
            pairs = {key: self._bind(item, what, where) for key, item in value.items()}
            kinds = _list_of([kind for _, kind in pairs.values()])
            return (
                DictOf(tuple((key, item) for key, (item, _) in pairs.items())),
                dict[str, types.element_type(kinds)],  # type: ignore[misc]
            )
        return Literal(self._encode(value, what, where)), kind_of(value)

    def _encode(self, value: Any, what: str, where: str) -> Any:
        try:
            return values.encode(value)
        except values.NotAValue as error:
            raise TraceError(
                f"{what} is given {type(value).__name__} data that cannot be written into a plan: {error}",
                where=where,
                hint="make it in a step, or pass its place by Artifact.from_uri(…)",
            ) from None

    def _visible(self, binding: Binding, what: str, where: str) -> None:
        """A result made inside a map is seen outside of it only by what the map's body returned."""
        if isinstance(binding, Item):
            inside = {scope.id for scope in self._chain(self.frame.scope)}
            if binding.scope not in inside:
                raise TraceError(f"{what} uses the item of a map outside of that map", where=where)
        elif isinstance(binding, Output):
            producer = self.tasks.get(binding.task)
            if producer is None:
                raise TraceError(f"{what} uses a task of another pipeline", where=where)
            if producer.scope is not None:
                mine = {scope.id for scope in self._chain(self.frame.scope) if isinstance(scope, MapScope)}
                for scope in self._chain(producer.scope):
                    if isinstance(scope, MapScope) and scope.id not in mine:
                        raise TraceError(
                            f"{what} uses a result of task {binding.task!r} outside of its map",
                            where=where,
                            hint="return it from the map's body, and use what map(…) returns",
                        )
        elif isinstance(binding, Collect) and binding.task not in self.tasks:
            raise TraceError(f"{what} uses a task of another pipeline", where=where)

    def _chain(self, scope: str | None) -> Iterator[Scope]:
        while scope is not None:
            found = self.scopes[scope]
            yield found
            scope = found.parent


def source_of(value: Any) -> str:
    binding = getattr(value, "_binding", None) if isinstance(value, Ref) else None
    if isinstance(binding, (Output, Collect)):
        return f" (output {binding.name!r} of task {binding.task!r})"
    if isinstance(binding, Param):
        return f" (parameter {binding.name!r})"
    return ""


def _holds_ref(items: Any) -> bool:
    return any(
        isinstance(item, (Ref, TaskRef, Artifact))
        or (isinstance(item, (list, tuple)) and _holds_ref(item))
        or (isinstance(item, dict) and _holds_ref(item.values()))
        for item in items
    )


def _list_of(kinds: list[Any]) -> Any:
    first = types.strip(kinds[0])
    same = all(types.strip(kind) == first for kind in kinds)
    return list[first] if same else list[Any]  # type: ignore[valid-type]


def kind_of(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and value:
        kinds = {type(item) for item in value}
        return list[kinds.pop()] if len(kinds) == 1 else list[Any]  # type: ignore[misc]
    return type(value)


def fits(value: Any, annotation: Any) -> bool:
    """Whether a literal is of the annotated type; its elements are looked at one level deep for lists and dicts."""
    target = types.strip(annotation)
    if target is Any or (value is None and types.is_optional(target)):
        return True
    for member in types.union_members(target):
        if value is not None and typing.get_origin(member) is typing.Literal:
            if value in typing.get_args(member):
                return True
        elif isinstance(value, (list, tuple, set, frozenset)) and not types.is_namedtuple(type(value)):
            element = types.element_type(member)
            if types.assignable(type(value), typing.get_origin(member) or member) and all(
                fits(item, element) for item in value
            ):
                return True
        elif types.assignable(type(value), member):
            return True
    return False
