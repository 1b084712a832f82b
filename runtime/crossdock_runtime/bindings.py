"""Where an input's value comes from, and the predicates over such values, with their JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from crossdock.dsl.errors import PlanError
from crossdock.dsl.frozen import frozen

Key: TypeAlias = "str | int"
Path: TypeAlias = "tuple[Key, ...]"


@frozen
class Literal:
    """A value written in the pipeline, as tagged JSON (see `values.py`)."""

    value: Any


@frozen
class Param:
    """A pipeline parameter, or a part of it."""

    name: str
    path: Path = ()

    def at(self, key: Key) -> Param:
        return Param(self.name, (*self.path, key))


@frozen
class Output:
    """An output of a task, or a part of it. Inside a map that both tasks stand in: of the same item."""

    task: str
    name: str
    path: Path = ()

    def at(self, key: Key) -> Output:
        return Output(self.task, self.name, (*self.path, key))


@frozen
class Item:
    """The item of an enclosing map, or a part of it."""

    scope: str
    path: Path = ()

    def at(self, key: Key) -> Item:
        return Item(self.scope, (*self.path, key))


@frozen
class Collect:
    """An output of a task inside maps that the consumer is outside of: a list over the items, nested per map."""

    task: str
    name: str


@frozen
class OneOf:
    """The first of the options that was not skipped."""

    options: tuple[Binding, ...]


@frozen
class ListOf:
    """A list of bindings."""

    items: tuple[Binding, ...]


@frozen
class DictOf:
    """A dict of bindings, as pairs."""

    items: tuple[tuple[str, Binding], ...]


@frozen
class Uri:
    """Existing data at a URI."""

    uri: str


@frozen
class RunOutput:
    """A named output of an earlier run in the same store."""

    run: str
    task: str
    name: str


@frozen
class Status:
    """How the run ended; for the exit task only."""


Binding: TypeAlias = Literal | Param | Output | Item | Collect | OneOf | ListOf | DictOf | Uri | RunOutput | Status


@frozen
class Compare:
    """`left op right`, with op one of `== != < <= > >= in`."""

    op: str
    left: Binding
    right: Binding


@frozen
class Logic:
    """`and`, `or` over two predicates, `not` over one."""

    op: str
    terms: tuple[Predicate, ...]


Predicate: TypeAlias = Compare | Logic


def leaves(binding: Binding) -> Iterator[Binding]:
    """The bindings that a binding is made of, itself when it holds no others."""
    if isinstance(binding, OneOf):
        for option in binding.options:
            yield from leaves(option)
    elif isinstance(binding, ListOf):
        for item in binding.items:
            yield from leaves(item)
    elif isinstance(binding, DictOf):
        for _, item in binding.items:
            yield from leaves(item)
    else:
        yield binding


def operands(predicate: Predicate) -> Iterator[Binding]:
    """Every binding that a predicate compares."""
    if isinstance(predicate, Compare):
        yield from leaves(predicate.left)
        yield from leaves(predicate.right)
    else:
        for term in predicate.terms:
            yield from operands(term)


def _with_path(body: dict[str, Any], path: Path) -> dict[str, Any]:
    if path:
        body["path"] = list(path)
    return body


_WRITERS: Mapping[type, Callable[[Any], dict[str, Any]]] = {
    Literal: lambda b: {"value": b.value},
    Param: lambda b: _with_path({"param": b.name}, b.path),
    Output: lambda b: _with_path({"output": f"{b.task}.{b.name}"}, b.path),
    Item: lambda b: _with_path({"item": b.scope}, b.path),
    Collect: lambda b: {"collect": f"{b.task}.{b.name}"},
    OneOf: lambda b: {"one_of": [binding_json(option) for option in b.options]},
    ListOf: lambda b: {"list": [binding_json(item) for item in b.items]},
    DictOf: lambda b: {"dict": [[key, binding_json(item)] for key, item in b.items]},
    Uri: lambda b: {"uri": b.uri},
    RunOutput: lambda b: {"run": b.run, "output": f"{b.task}.{b.name}"},
    Status: lambda b: {"status": True},
}


def binding_json(binding: Binding) -> dict[str, Any]:
    """The JSON of a binding."""
    return _WRITERS[type(binding)](binding)


def _split(text: str) -> tuple[str, str]:
    task, _, name = text.rpartition(".")
    return task, name


def read_binding(body: Mapping[str, Any]) -> Binding:
    """The binding of its JSON.

    Raises:
        PlanError: it is none.
    """
    path = tuple(body.get("path", ()))
    if "value" in body:
        return Literal(body["value"])
    if "param" in body:
        return Param(body["param"], path)
    if "run" in body:
        return RunOutput(body["run"], *_split(body["output"]))
    if "output" in body:
        return Output(*_split(body["output"]), path)
    if "item" in body:
        return Item(body["item"], path)
    if "collect" in body:
        return Collect(*_split(body["collect"]))
    if "one_of" in body:
        return OneOf(tuple(read_binding(option) for option in body["one_of"]))
    if "list" in body:
        return ListOf(tuple(read_binding(item) for item in body["list"]))
    if "dict" in body:
        return DictOf(tuple((key, read_binding(item)) for key, item in body["dict"]))
    if "uri" in body:
        return Uri(body["uri"])
    if "status" in body:
        return Status()
    raise PlanError(f"{dict(body)!r} is no binding of this contract")


def predicate_json(predicate: Predicate) -> dict[str, Any]:
    """The JSON of a predicate."""
    if isinstance(predicate, Compare):
        return {
            "op": predicate.op,
            "left": binding_json(predicate.left),
            "right": binding_json(predicate.right),
        }
    return {"op": predicate.op, "terms": [predicate_json(term) for term in predicate.terms]}


def read_predicate(body: Mapping[str, Any]) -> Predicate:
    """The predicate of its JSON."""
    if "terms" in body:
        return Logic(body["op"], tuple(read_predicate(term) for term in body["terms"]))
    return Compare(body["op"], read_binding(body["left"]), read_binding(body["right"]))
