"""A component's configuration from names and texts, typed by its flavor's model."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from crossdock import registry
from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock.stacks.base import SecretReference
from crossdock.stacks.documents import parse


def changed(
    type_: str, flavor: str, before: Mapping[str, Any], config: Mapping[str, Any], texts: Mapping[str, str | None]
) -> dict[str, Any]:
    """A configuration with some of its values changed.

    Args:
        type_: the component's type.
        flavor: its flavor.
        before: the configuration, which stays as it is.
        config: values by name, those of a nested model as `outer.inner`.
        texts: values as texts; what a text means is for the field's type to say: a field of text takes it as it is,
            another one as YAML (so JSON too). None is the value of an option that has none: true.

    Raises:
        BadInput: there is no such flavor, or a text cannot be read.
    """
    model = registry.flavor(type_, flavor).Config
    body: dict[str, Any] = _copy(before)
    for key, value in config.items():
        _put(body, key.split("."), value)
    for key, text in texts.items():
        path = key.replace("-", "_").split(".")
        _put(body, path, _typed(_field(model, path), key, text))
    return body


def without(body: Mapping[str, Any], key: str, what: str) -> dict[str, Any]:
    """A configuration without one of its values.

    Raises:
        BadInput: it has no such value.
    """
    after: dict[str, Any] = _copy(body)
    *outer, last = key.replace("-", "_").split(".")
    inner: Any = after
    for name in outer:
        inner = inner.get(name) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or last not in inner:
        raise BadInput(f"{what} sets no {key!r}", hint=did_you_mean(key, tuple(body)), id="unknown-key")
    del inner[last]
    return after


def _copy(value: Any) -> Any:
    return {key: _copy(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def _put(body: dict[str, Any], path: list[str], value: Any) -> None:
    *outer, last = path
    for name in outer:
        inner = body.get(name)
        if not isinstance(inner, dict):
            body[name] = inner = {}
        body = inner
    body[last] = value


def _field(model: type[BaseModel], path: list[str]) -> FieldInfo | None:
    """The field of a path; None where there is none, which the model says when it is all together."""
    found = model.model_fields.get(path[0])
    if found is None or len(path) == 1:
        return found
    candidates = (found.annotation, *getattr(found.annotation, "__args__", ()))
    for inner in candidates:
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return _field(inner, path[1:])
    return None


def _typed(field: FieldInfo | None, name: str, text: str | None) -> Any:
    """A text as the value that a field takes; where it takes none, what the model will refuse."""
    annotation: Any = field.annotation if field is not None else None
    if text is None:
        if field is not None and not _takes(TypeAdapter(annotation), True, strict=True):
            raise BadInput(f"the setting {name!r} needs a value", hint=f"--{name}=…", id="missing-argument")
        return True
    if field is None:
        return parse(text, f"--{name}") if text.lstrip()[:1] in ("{", "[") else text
    for item in field.metadata:
        annotation = Annotated[annotation, item]
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    if _takes(adapter, text, strict=True):
        return text
    try:
        value = parse(text, f"--{name}")
    except BadInput:
        value = text
    if isinstance(value, (datetime.date, datetime.datetime)):
        value = text
    return text if not _takes(adapter, value) and _takes(adapter, text) else value


def _takes(adapter: TypeAdapter[Any], value: Any, *, strict: bool = False) -> bool:
    try:
        adapter.validate_python(value, strict=strict)
    except ValidationError:
        return False
    return True


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


def _type_name(annotation: Any) -> str:
    """A type for people: `str`, `int`, `secret`, `none | process`, `list[str]`."""
    arguments = [item for item in get_args(annotation) if item is not type(None)]
    origin = get_origin(annotation)
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if origin in (Union, UnionType):
        return " | ".join(map(_type_name, arguments))
    if origin is Annotated:
        return _type_name(arguments[0])
    if origin is not None:
        return f"{origin.__name__}[{', '.join(map(_type_name, arguments))}]"
    if annotation is SecretReference:
        return "secret"
    return str(getattr(annotation, "__name__", annotation))


def _attributes(text: str) -> dict[str, str]:
    """What the section `Attributes:` of a docstring says of each name."""
    found: dict[str, str] = {}
    _, _, section = text.partition("Attributes:\n")
    last = ""
    for line in section.splitlines():
        name, colon, rest = line.strip().partition(": ")
        if colon and name.isidentifier():
            last = name
            found[last] = rest
        elif line.strip() and last:
            found[last] += f" {line.strip()}"
    return found


def about(type_: str, flavor: str) -> dict[str, Any]:
    """What a flavor says of itself, and its settings: name, type, default and whether one must be given."""
    found = registry.flavor(type_, flavor)
    says: dict[str, str] = {}
    for model in reversed(found.Config.__mro__):
        if issubclass(model, BaseModel):
            says |= _attributes(model.__doc__ or "")
    settings = [
        {
            "name": name,
            "type": _type_name(field.annotation),
            "required": field.is_required(),
            "default": None if field.is_required() else _plain(field.get_default(call_default_factory=True)),
            "says": field.description or says.get(name, ""),
        }
        for name, field in found.Config.model_fields.items()
    ]
    summary = (found.__doc__ or "").strip().partition("\n")[0]
    return {"type": type_, "flavor": flavor, "says": summary, "extra": found.extra, "settings": settings}
