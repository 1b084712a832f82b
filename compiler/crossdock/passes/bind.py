"""From what a user passes to a step to a binding of the plan."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from crossdock.dsl import types
from crossdock.dsl.container import ContainerStep
from crossdock.dsl.errors import TraceError
from crossdock.dsl.pipeline import Artifact, Pipeline
from crossdock.dsl.refs import Condition, Ref
from crossdock.dsl.refs import Task as TaskRef
from crossdock.dsl.settings import Settings, no_settings
from crossdock.dsl.step import Step
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
    Parameter,
    RunOutput,
    Scope,
    Task,
    Uri,
)
from crossdock_runtime import values

_LONGEST_SHOWN = 100


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
        self.problems: list[TraceError] = []
        self._counts: dict[str, int] = {}

    def _problem(self, error: TraceError) -> None:
        """Note what is wrong, so that all of it can be said at once."""
        if str(error) not in map(str, self.problems):
            self.problems.append(error)

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

    def _unique(self, stem: str) -> str:
        count = self._counts.get(f"<{stem}>", 0) + 1
        self._counts[f"<{stem}>"] = count
        return f"{stem}-{count}"

    def _bind(self, value: Any, what: str, where: str, target: Any = None) -> tuple[Binding, Any]:
        if isinstance(value, Ref):
            self._visible(value._binding, what, where)
            return value._binding, value._type
        if isinstance(value, Condition):
            raise TraceError(
                f"{what} is given a comparison, which only steers when(…)",
                where=where,
                hint="give it the value, and compare in the step",
                id="bad-condition",
            )
        if isinstance(value, TaskRef):
            if len(value._outputs) == 1:
                return self._bind(next(iter(value._outputs.values())), what, where, target)
            known = ", ".join(f".{name}" for name in value._outputs)
            if known:
                message = f"{what} is given all {len(value._outputs)} outputs of task {value._id!r}"
                raise TraceError(message, where=where, hint=f"pick one of them: {known}", id="bad-call")
            raise TraceError(
                f"{what} is given the result of task {value._id!r}, which returns nothing",
                where=where,
                hint="return the value from the step, annotated as such; to only order the two: after(…)",
                id="bad-call",
            )
        if isinstance(value, Artifact):
            if value.uri is not None:
                return Uri(value.uri), Any
            task, _, name = str(value.output).rpartition(".")
            return RunOutput(str(value.run), task, name), Any
        if isinstance(value, (Step, ContainerStep, Pipeline)):
            raise TraceError(
                f"{what} is given {value!r} itself, not what it returns",
                where=where,
                hint=f"call it: {value.name.replace('-', '_')}(…)",
                id="bad-call",
            )
        if isinstance(value, (list, tuple)) and holds_ref(value):
            bound = [self._bind(item, what, where) for item in value]
            return ListOf(tuple(item for item, _ in bound)), _list_of([kind for _, kind in bound])
        if isinstance(value, dict) and holds_ref(value.values()):
            for key in value:
                if not isinstance(key, str):
                    raise TraceError(
                        f"{what}: a dict that holds task results has texts as its keys, not {key!r}",
                        where=where,
                        hint=f'write "{key}": …',
                        id="not-a-value",
                    )
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
                f"{what} is given a {type(value).__name__}, which cannot be written into a plan: {error}",
                where=where,
                hint="make it in a step; data that exist already come in by Artifact.from_uri(…)",
                id="not-a-value",
            ) from None

    def _visible(self, binding: Binding, what: str, where: str) -> None:
        """A result made inside a map is seen outside of it only by what the map's body returned."""
        if isinstance(binding, Item):
            inside = {scope.id for scope in self._chain(self.frame.scope)}
            if binding.scope not in inside:
                raise TraceError(
                    f"{what} uses the item of a map outside of that map",
                    where=where,
                    hint="give it the list that the map goes over, or call the step in the map's body",
                    id="outside-its-map",
                )
        elif isinstance(binding, Output):
            producer = self.tasks.get(binding.task)
            if producer is None:
                raise _foreign(what, binding.task, where)
            if producer.scope is not None:
                mine = {scope.id for scope in self._chain(self.frame.scope) if isinstance(scope, MapScope)}
                for scope in self._chain(producer.scope):
                    if isinstance(scope, MapScope) and scope.id not in mine:
                        raise TraceError(
                            f"{what} uses a result of task {binding.task!r} outside of its map",
                            where=where,
                            hint="return it from the map's body, and use what map(…) returns",
                            id="outside-its-map",
                        )
        elif isinstance(binding, Collect) and binding.task not in self.tasks:
            raise _foreign(what, binding.task, where)

    def _chain(self, scope: str | None) -> Iterator[Scope]:
        while scope is not None:
            found = self.scopes[scope]
            yield found
            scope = found.parent


def _foreign(what: str, task: str, where: str) -> TraceError:
    return TraceError(
        f"{what} uses task {task!r} of another pipeline",
        where=where,
        hint="keep no result of a step outside of the pipeline function; pass it as a parameter",
        id="other-pipeline",
    )


def source_of(value: Any) -> str:
    """Where a value comes from, in brackets."""
    return f" ({value._name()})" if isinstance(value, Ref) else ""


def holds_ref(items: Any) -> bool:
    """Whether something in there is known only when the pipeline runs."""
    return any(
        isinstance(item, (Ref, TaskRef, Artifact))
        or (isinstance(item, (list, tuple)) and holds_ref(item))
        or (isinstance(item, dict) and holds_ref(item.values()))
        for item in items
    )


def _list_of(kinds: list[Any]) -> Any:
    found = [types.strip(kind) for kind in kinds]
    if Any in found:
        return list[Any]
    return list[typing.Union[tuple(found)]]  # type: ignore[misc] # noqa: UP007


def brief(value: Any) -> str:
    """A value and its type, in a few words."""
    text = repr(value)
    if text.startswith("<") or isinstance(value, (set, frozenset)):
        return f"a {type(value).__name__}"
    return f"{text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + '…'} ({type(value).__name__})"


def kind_of(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and value:
        kinds = {type(item) for item in value}
        return list[kinds.pop()] if len(kinds) == 1 else list[Any]  # type: ignore[misc]
    return type(value)


def fits(value: Any, annotation: Any) -> bool:
    """Whether a literal is of the annotated type, with all that is in it."""
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
        elif isinstance(value, dict) and types.assignable(dict, typing.get_origin(member) or member):
            args = typing.get_args(member)
            if len(args) != 2 or all(fits(key, args[0]) and fits(item, args[1]) for key, item in value.items()):
                return True
        elif types.assignable(type(value), member):
            return True
    return False
