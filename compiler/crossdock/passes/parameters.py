"""Pipeline parameters from Python, from text (`-p k=v`) and from a YAML file, checked against their types."""

from __future__ import annotations

import datetime
import decimal
import enum
import typing
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from crossdock.dsl import types
from crossdock.dsl.errors import BadInput, TraceError, did_you_mean, together
from crossdock.dsl.pipeline import Artifact, Pipeline, check_uri
from crossdock.ir import Parameter, Plan
from crossdock.passes.bind import brief, fits
from crossdock.passes.parameters_file import FileParameters, from_file
from crossdock_runtime import values

__all__ = ["FileParameters", "bind", "coerce", "from_file", "from_text", "parse"]


def from_text(pairs: typing.Iterable[str]) -> dict[str, str]:
    """`k=v` texts as a dict.

    Raises:
        BadInput: one has no `=`, or a name comes twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise BadInput(f"-p {pair!r} is not name=value", hint=f"-p {name or 'name'}=…", id="bad-parameter")
        if name in found:
            raise BadInput(
                f"-p {name} is given twice", hint=f"drop one of them: -p {name}={text}", id="duplicate-parameter"
            )
        found[name] = text
    return found


def bind(
    pipeline: Pipeline[Any, Any],
    plan: Plan,
    given: Mapping[str, Any],
    texts: Mapping[str, str],
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Tagged values of all parameters.

    Args:
        pipeline, plan: what is run.
        given: Python or YAML values by name.
        texts: texts by name, from a command line; they win.
        before: tagged values of the run that is resumed, for what is not given.

    Raises:
        BadInput: a name is unknown, a value is of another type, or one is missing; says all of it.
    """
    places = given.places if isinstance(given, FileParameters) else {}
    found: dict[str, Any] = {}
    problems = []
    for name in dict.fromkeys((*given, *texts)):
        if name not in plan.parameters:
            message = f"pipeline {plan.name!r} has no parameter {name!r}"
            where = None if name in texts else places.get(name)
            problems.append(
                BadInput(message, where=where, hint=did_you_mean(name, plan.parameters), id="unknown-parameter")
            )
    for name, parameter in plan.parameters.items():
        kind = pipeline.hints[name]
        try:
            if name in texts:
                found[name] = _tagged(parameter, parse(texts[name], kind, name), kind)
            elif name in given:
                found[name] = _tagged(parameter, coerce(given[name], kind, name), kind)
            elif before is not None and name in before:
                found[name] = before[name]
            elif parameter.required:
                message = f"parameter {name!r} ({parameter.type}) has no value"
                problems.append(BadInput(message, hint=_on_command_line(name, kind), id="missing-parameter"))
            else:
                found[name] = parameter.default
        except BadInput as error:
            if name not in texts:
                error.where = places.get(name)
            error.hint = error.hint or _on_command_line(name, kind)
            if error.where is not None and error.hint.startswith("-p "):
                error.hint = f"write {name}: {_example(kind)}"
            problems.append(error)
    if problems:
        raise together(BadInput, f"parameters of pipeline {plan.name!r}", problems)
    return found


def _tagged(parameter: Parameter, value: Any, kind: Any) -> Any:
    if parameter.artifact and isinstance(value, str):
        try:
            return check_uri(value)
        except TraceError as error:
            raise BadInput(f"parameter {parameter.name!r}: {error.message}", hint=error.hint, id=error.id) from None
    try:
        return values.encode(value)
    except values.NotAValue as error:
        raise BadInput(
            f"parameter {parameter.name!r} ({types.type_text(kind)}) cannot be {brief(value)}: {error}",
            hint="give the place of the data: a path or a URI",
            id="bad-parameter",
        ) from None


def parse(text: str, kind: Any, name: str) -> Any:
    """The value that a text stands for: scalars as they are written, everything else as JSON.

    Raises:
        BadInput: it stands for none of this type.
    """
    bare = types.strip(kind)
    if types.is_optional(bare) and text in ("", "null", "None"):
        return None
    members = [member for member in types.union_members(bare) if member is not type(None)]
    reasons = []
    for member in members:
        if member is str or not types.is_value(member):
            return text
        try:
            return _parse_one(text, member, name)
        except BadInput as error:
            reasons.append(error)
        except (ValueError, decimal.InvalidOperation):
            continue
    if len(members) == 1 and reasons and text[:1] in ("{", "["):
        raise reasons[0]
    raise BadInput(
        f"parameter {name!r} takes {types.type_text(bare)}, not {text!r}",
        hint=_on_command_line(name, bare),
        id="bad-parameter",
    )


def _parse_one(text: str, kind: Any, name: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _member(kind, text)
    if typing.get_origin(kind) is typing.Literal:
        return _one_of(typing.get_args(kind), text)
    if kind is bool:
        return {"true": True, "false": False}[text.lower()] if text.lower() in ("true", "false") else _no(text)
    if kind in (int, float):
        return kind(text)
    if kind in (decimal.Decimal, uuid.UUID) or hasattr(kind, "fromisoformat"):
        return coerce(text, kind, name)
    import json

    try:
        value = json.loads(text)
    except ValueError:
        value = text
    return coerce(value, kind, name)


def _no(value: Any) -> typing.NoReturn:
    raise ValueError(value)


def _member(kind: type[enum.Enum], text: str) -> enum.Enum:
    for item in kind:
        if text in (item.name, str(item.value)):
            return item
    _no(text)


def _one_of(choices: tuple[Any, ...], text: str) -> Any:
    for item in choices:
        if text == str(item):
            return item
    _no(text)


_WRITTEN: dict[Any, str] = {
    bool: "true",
    int: "10",
    float: "0.5",
    str: "text",
    datetime.date: "2013-12-31",
    datetime.datetime: "2013-12-31T08:30:00",
    datetime.time: "08:30:00",
    decimal.Decimal: "0.50",
}


def _choices(kind: Any) -> str | None:
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return ", ".join(item.name for item in kind)
    if typing.get_origin(kind) is typing.Literal:
        return ", ".join(map(str, typing.get_args(kind)))
    return None


def _example(kind: Any, *, inside: bool = False) -> str:
    """A value of a type, as it is written in JSON or YAML; scalars that stand alone without quotes."""
    members = [member for member in types.union_members(kind) if member is not type(None)]
    bare = members[0] if members else kind
    choices = _choices(bare)
    if choices is not None:
        first = choices.partition(", ")[0]
        return f'"{first}"' if inside else first
    fields = types.fields_of(bare)
    if fields is not None and isinstance(bare, type):
        hints = typing.get_type_hints(bare)
        return "{" + ", ".join(f'"{name}": {_example(hints.get(name, str), inside=True)}' for name in fields) + "}"
    base, args = typing.get_origin(bare) or bare, typing.get_args(bare)
    if base in (list, tuple, set, frozenset):
        return f"[{', '.join([_example(types.element_type(bare), inside=True)] * 2)}]"
    if base is dict:
        return f'{{"name": {_example(args[1] if len(args) == 2 else str, inside=True)}}}'
    if not types.is_value(bare):
        return "PATH or URI"
    text = _WRITTEN.get(base, "text")
    return text if not inside or base in (bool, int, float) else f'"{text}"'


def _on_command_line(name: str, kind: Any) -> str:
    choices = _choices(types.strip(kind))
    if choices is not None:
        return f"-p {name}=…, one of {choices}"
    text = _example(kind)
    return f"-p '{name}={text}'" if any(char in text for char in ' "{[') else f"-p {name}={text}"


def coerce(value: Any, kind: Any, name: str) -> Any:
    """A Python or YAML value as the parameter's type: enums by name, dates by text, dataclasses and models by mapping.

    Raises:
        BadInput: it is of another type.
    """
    bare = types.strip(kind)
    if isinstance(value, Artifact):
        return value.uri
    if isinstance(value, Path) and not types.is_value(bare):
        return str(value)
    if fits(value, bare):
        return _as_floats(value, bare)
    members = [member for member in types.union_members(bare) if member is not type(None)]
    reasons = []
    for member in members:
        try:
            return _convert(value, member, name)
        except BadInput as error:
            reasons.append(error)
        except (ValueError, TypeError, KeyError):
            continue
    if len(members) == 1 and reasons:
        raise reasons[0]
    hint = "put it in quotes" if str in members and isinstance(value, (int, float, datetime.date)) else None
    raise BadInput(
        f"parameter {name!r} takes {types.type_text(bare)}, not {brief(value)}", hint=hint, id="bad-parameter"
    )


def _as_floats(value: Any, kind: Any) -> Any:
    """An int where a float is asked for as a float, also in a list, a tuple or a dict."""
    members = [member for member in types.union_members(kind) if member is not type(None)]
    if len(members) != 1 or value is None:
        return value
    base, args = typing.get_origin(members[0]) or members[0], typing.get_args(members[0])
    if base is float:
        return float(value)
    if base in (list, set, frozenset) and args:
        return base(_as_floats(item, args[0]) for item in value)
    if base is dict and len(args) == 2:
        return {key: _as_floats(item, args[1]) for key, item in value.items()}
    return value


def _convert(value: Any, kind: Any, name: str) -> Any:
    if not types.is_value(kind) and isinstance(value, str):
        return value
    if isinstance(kind, type):
        if issubclass(kind, enum.Enum):
            return _member(kind, str(value)) if not isinstance(value, enum.Enum) else _no(value)
        if hasattr(kind, "fromisoformat") and isinstance(value, str):
            from_text: Callable[[str], Any] = kind.fromisoformat
            return from_text(value)
        if kind is decimal.Decimal and isinstance(value, (int, float, str)) and not isinstance(value, bool):
            return decimal.Decimal(str(value))
        if kind is uuid.UUID and isinstance(value, str):
            return uuid.UUID(value)
        if kind is datetime.datetime and type(value) is datetime.date:
            return datetime.datetime(value.year, value.month, value.day)
        if isinstance(value, Mapping) and types.is_pydantic(kind):
            return _model(value, kind, name)
        fields = types.fields_of(kind)
        if isinstance(value, Mapping) and fields is not None:
            return _record(value, kind, fields, name)
    origin = typing.get_origin(kind) or kind
    if isinstance(value, (list, tuple)) and origin in (list, tuple, set, frozenset):
        element = types.element_type(kind)
        return origin(coerce(item, element, f"{name}[{number}]") for number, item in enumerate(value))
    if isinstance(value, Mapping) and origin is dict:
        args = typing.get_args(kind)
        outer, inner = args if len(args) == 2 else (Any, Any)
        return {
            coerce(key, outer, f"a key of {name}"): coerce(item, inner, f"{name}[{key!r}]")
            for key, item in value.items()
        }
    raise ValueError(value)


def _record(value: Mapping[Any, Any], kind: type[Any], fields: tuple[str, ...], name: str) -> Any:
    hints = typing.get_type_hints(kind)
    given = {}
    for key, item in value.items():
        if key not in fields:
            raise BadInput(
                f"{name}: {kind.__name__} has no field {key!r}", hint=did_you_mean(str(key), fields), id="unknown-field"
            )
        given[key] = coerce(item, hints[key], f"{name}.{key}")
    try:
        return kind(**given)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise BadInput(
            f"{name} is no {kind.__name__}: {what}", hint=f"its fields are: {', '.join(fields)}", id="bad-parameter"
        ) from None


def _model(value: Mapping[Any, Any], kind: Any, name: str) -> Any:
    from pydantic import ValidationError

    try:
        return kind.model_validate(dict(value))
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, (name, *item['loc'])))}: {item['msg']}" for item in error.errors())
        raise BadInput(
            said, hint=f"its fields are: {', '.join(types.fields_of(kind) or ())}", id="bad-parameter"
        ) from None
