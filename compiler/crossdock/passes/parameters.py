"""Pipeline parameters from Python, from text (`-p k=v`) and from a YAML file, checked against their types."""

from __future__ import annotations

import dataclasses
import difflib
import enum
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crossdock.dsl import types
from crossdock.dsl.errors import BadInput
from crossdock.dsl.pipeline import Artifact, Pipeline
from crossdock.ir import Plan
from crossdock.passes.bind import fits
from crossdock_runtime import values


def from_text(pairs: typing.Iterable[str]) -> dict[str, str]:
    """`k=v` texts as a dict.

    Raises:
        BadInput: one has no `=`, or a name comes twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise BadInput(f"-p {pair!r} is not name=value", hint="-p rows=1000")
        if name in found:
            raise BadInput(f"-p {name} is given twice")
        found[name] = text
    return found


def from_file(path: str) -> dict[str, Any]:
    """Parameters of a YAML file.

    Raises:
        BadInput: the file cannot be read, or is no mapping.
    """
    import yaml

    try:
        body = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path!r} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        raise BadInput(f"not YAML: {getattr(error, 'problem', error)}", where=where) from None
    if body is None:
        return {}
    if not isinstance(body, dict) or not all(isinstance(key, str) for key in body):
        raise BadInput("parameters are a mapping of names to values", where=path, hint="rows: 1000")
    return body


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
        BadInput: a name is unknown, a value is of another type, or one is missing.
    """
    known = list(plan.parameters)
    found: dict[str, Any] = {}
    for name in (*given, *texts):
        if name not in plan.parameters:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"its parameters are: {', '.join(known) or 'none'}"
            raise BadInput(f"pipeline {plan.name!r} has no parameter {name!r}", hint=hint)
    for name, parameter in plan.parameters.items():
        kind = pipeline.hints[name]
        if name in texts:
            value = parse(texts[name], kind, name)
        elif name in given:
            value = coerce(given[name], kind, name)
        elif before is not None and name in before:
            found[name] = before[name]
            continue
        elif parameter.required:
            raise BadInput(f"parameter {name!r} ({parameter.type}) has no value", hint=f"-p {name}=…")
        else:
            found[name] = parameter.default
            continue
        found[name] = value if parameter.artifact and isinstance(value, str) else values.encode(value)
    return found


def parse(text: str, kind: Any, name: str) -> Any:
    """The value that a text stands for: scalars as they are written, everything else as JSON.

    Raises:
        BadInput: it stands for none of this type.
    """
    bare = types.strip(kind)
    if types.is_optional(bare) and text in ("", "null", "None"):
        return None
    members = [member for member in types.union_members(bare) if member is not type(None)]
    for member in members:
        if member is str or not types.is_value(member):
            return text
        if isinstance(member, type) and issubclass(member, enum.Enum):
            for item in member:
                if text in (item.name, str(item.value)):
                    return item
            continue
        if member is bool:
            if text.lower() in ("true", "false"):
                return text.lower() == "true"
            continue
        if member in (int, float):
            try:
                return member(text)
            except ValueError:
                continue
        try:
            import json

            value = json.loads(text)
        except ValueError:
            value = text
        try:
            return coerce(value, member, name)
        except BadInput:
            continue
    raise BadInput(f"parameter {name!r} is a {types.type_text(bare)}, not {text!r}", hint=_example(bare, name))


def _example(kind: Any, name: str) -> str:
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return f"one of {', '.join(item.name for item in kind)}"
    examples = {bool: "true", int: "10", float: "0.5"}
    return f"-p {name}={examples.get(kind, '<JSON>')}"


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
        return float(value) if bare is float and isinstance(value, int) else value
    for member in types.union_members(bare):
        try:
            return _convert(value, member, name)
        except (ValueError, TypeError, KeyError):
            continue
    raise BadInput(
        f"parameter {name!r} is a {types.type_text(bare)}, not {value!r} ({type(value).__name__})",
        hint=_example(bare, name),
    )


def _convert(value: Any, kind: Any, name: str) -> Any:
    if not types.is_value(kind) and isinstance(value, str):
        return value
    if isinstance(kind, type):
        if issubclass(kind, enum.Enum):
            return kind[value] if value in kind.__members__ else kind(value)
        if hasattr(kind, "fromisoformat") and isinstance(value, str):
            return kind.fromisoformat(value)
        if isinstance(value, Mapping) and types.is_pydantic(kind):
            return kind(**value)
        if isinstance(value, Mapping) and dataclasses.is_dataclass(kind):
            hints = typing.get_type_hints(kind)
            return kind(**{key: coerce(item, hints[key], f"{name}.{key}") for key, item in value.items()})
    origin = typing.get_origin(kind) or kind
    if isinstance(value, list) and origin in (list, tuple, set, frozenset):
        element = types.element_type(kind)
        return origin(coerce(item, element, f"{name}[{number}]") for number, item in enumerate(value))
    if isinstance(value, Mapping) and origin is dict:
        args = typing.get_args(kind)
        inner = args[1] if len(args) == 2 else Any
        return {key: coerce(item, inner, f"{name}[{key!r}]") for key, item in value.items()}
    raise ValueError(value)
