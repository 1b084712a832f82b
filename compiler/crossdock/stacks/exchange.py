"""A stack and its components as one document, to carry from one project to another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput, CrossdockError, Problem, did_you_mean
from crossdock.dsl.frozen import frozen
from crossdock.stacks import documents
from crossdock.stacks.definitions import COMPONENT_TYPES, GUARDRAILS, ComponentDefinition, StackDefinition, check_name

FORMAT = 1
_HINT = "crossdock stack export NAME -o FILE writes one"
_STACK_KEYS = ("name", "description", "components", *GUARDRAILS)
_COMPONENT_KEYS = ("type", "name", "flavor", "config")


@frozen
class Exported:
    """What an exported document says.

    Attributes:
        shown: the file as people are told of it.
    """

    stack: StackDefinition
    components: tuple[ComponentDefinition, ...]
    shown: str


def exported(stack: StackDefinition, components: Sequence[ComponentDefinition]) -> dict[str, Any]:
    """The document of a stack."""
    return {
        "crossdock": FORMAT,
        "stack": {"name": stack.name, **stack.document()},
        "components": [{"type": part.type, "name": part.name, **part.document()} for part in components],
    }


def read_exported(file: Path, name: str | None = None) -> Exported:
    """Read what `exported` gave.

    Args:
        file: YAML, or JSON.
        name: another name for the stack.

    Raises:
        BadInput: it is no such document; has every problem at once.
    """
    shown = documents.shown_path(file)
    body, place = documents.read_mapping(file, shown)
    version, about, listed = body.get("crossdock"), body.get("stack"), body.get("components", [])
    if not isinstance(version, int) or not isinstance(about, dict) or not isinstance(listed, list):
        raise BadInput("this is no exported stack", where=f"{shown}:1", hint=_HINT, id="bad-export")
    if version != FORMAT:
        raise BadInput(
            f"this is format {version}, and {FORMAT} is known here",
            where=place("crossdock"),
            hint=_HINT,
            id="bad-export",
        )
    problems: list[CrossdockError | Problem] = [
        Problem(f"unknown key {key!r}", where=place(key), id="unknown-key")
        for key in body
        if key not in ("crossdock", "stack", "components")
    ]
    stack: StackDefinition | None = None
    parts = []
    try:
        stack = documents.stack_from(
            check_name(str(name or about.get("name", "")), "a stack"),
            about,
            lambda *keys: place("stack", *keys),
            _STACK_KEYS,
        )
    except BadInput as error:
        problems += error.problems or [
            Problem(error.message, where=place("stack", "name"), hint=error.hint, id=error.id)
        ]
    for number, item in enumerate(listed):
        try:
            parts.append(_component(item, number, place))
        except BadInput as error:
            problems += error.problems or [
                Problem(error.message, where=error.where or place("components", number), hint=error.hint, id=error.id)
            ]
    if problems or stack is None:
        raise BadInput("the exported stack is wrong", where=f"{shown}:1", problems=problems, id="bad-export")
    return Exported(stack, tuple(parts), shown)


def _component(item: Any, number: int, place: documents.Place) -> ComponentDefinition:
    where = place("components", number)
    if not isinstance(item, dict):
        raise BadInput("a component has a type, a name, a flavor and a config", where=where, id="bad-export")
    type_ = item.get("type")
    if type_ not in COMPONENT_TYPES:
        raise BadInput(
            f"{type_!r} is no component type",
            where=where,
            hint=did_you_mean(str(type_), COMPONENT_TYPES),
            id="unknown-component-type",
        )
    return documents.component_from(
        str(type_),
        check_name(str(item.get("name", "")), "a component"),
        item,
        lambda *keys: place("components", number, *keys),
        _COMPONENT_KEYS,
    )
