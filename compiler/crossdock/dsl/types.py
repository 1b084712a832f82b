"""Python annotations as the types of an edge: text form, values or artifacts, what fits into what."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import enum
import os
import types
import typing
from typing import Annotated, Any, Union, get_args, get_origin

_SCALARS = (
    bool, int, float, str, type(None), datetime.datetime, datetime.date, datetime.time, datetime.timedelta,
)  # fmt: skip
_LATE_SCALARS = ("decimal.Decimal", "uuid.UUID")
"""Of modules that nobody need have imported."""
_CONTAINERS = (list, tuple, set, frozenset, dict)
_ABSTRACT = {
    collections.abc.Sequence: (list, tuple),
    collections.abc.Iterable: (list, tuple, set, frozenset, dict),
    collections.abc.Collection: (list, tuple, set, frozenset, dict),
    collections.abc.Mapping: (dict,),
    collections.abc.MutableMapping: (dict,),
    collections.abc.MutableSequence: (list,),
    collections.abc.Set: (set, frozenset),
}


def strip(annotation: Any) -> Any:
    """The annotation without `Annotated`, and `NewType`s by what they are made of."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif annotation is None:
            return type(None)
        else:
            return annotation


def union_members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union; a one-tuple for anything else."""
    annotation = strip(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(strip(arg) for arg in get_args(annotation))
    return (annotation,)


def is_optional(annotation: Any) -> bool:
    """Whether None is a member of the type."""
    return type(None) in union_members(annotation)


def is_pydantic(annotation: Any) -> bool:
    """Whether it is a pydantic model class; pydantic is not imported to tell."""
    return isinstance(annotation, type) and hasattr(annotation, "__pydantic_fields__")


def is_namedtuple(annotation: Any) -> bool:
    """Whether it is a NamedTuple class."""
    return isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields")


def is_value(annotation: Any) -> bool:
    """Whether it travels as JSON and can steer a pipeline; everything else is an artifact."""
    annotation = strip(annotation)
    members = union_members(annotation)
    if len(members) > 1:
        return all(is_value(member) for member in members)
    origin = get_origin(annotation)
    if origin is typing.Literal:
        return True
    if origin in _CONTAINERS or origin in _ABSTRACT:
        return all(arg is Ellipsis or is_value(arg) or strip(arg) in (bytes, Any) for arg in get_args(annotation))
    if annotation in _SCALARS or annotation in _CONTAINERS or annotation in _ABSTRACT:
        return True
    if not isinstance(annotation, type):
        return False
    return (
        issubclass(annotation, enum.Enum)
        or f"{annotation.__module__}.{annotation.__qualname__}" in _LATE_SCALARS
        or dataclasses.is_dataclass(annotation)
        or is_pydantic(annotation)
        or is_namedtuple(annotation)
        or typing.is_typeddict(annotation)
    )


def is_place(annotation: Any) -> bool:
    """Whether data at a URI can come as this type: a path, bytes, or several of them."""
    annotation = strip(annotation)
    if annotation is Any or annotation is object:
        return True
    members = [member for member in union_members(annotation) if member is not type(None)]
    if len(members) > 1:
        return any(is_place(member) for member in members)
    origin, args = get_origin(members[0]), get_args(members[0])
    if origin in _CONTAINERS or origin in _ABSTRACT:
        return any(is_place(arg) for arg in args if arg is not Ellipsis)
    return members[0] is bytes or (isinstance(members[0], type) and issubclass(members[0], os.PathLike))


def type_text(annotation: Any) -> str:
    """The type as it stands in a plan: `int`, `list[float]`, `pandas.core.frame.DataFrame`, `str | None`."""
    annotation = strip(annotation)
    if annotation is type(None):
        return "None"
    if annotation is Any or annotation is typing.Any:
        return "Any"
    if annotation is Ellipsis:
        return "..."
    members = union_members(annotation)
    if len(members) > 1:
        return " | ".join(type_text(member) for member in members)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is typing.Literal:
        return f"Literal[{', '.join(repr(arg) for arg in args)}]"
    if origin is not None and args:
        return f"{type_text(origin)}[{', '.join(type_text(arg) for arg in args)}]"
    if isinstance(annotation, type):
        name = f"{annotation.__module__}.{annotation.__qualname__}"
        # Python 3.13 has the paths in a module of their own; a plan is the same under every Python.
        return name.removeprefix("builtins.").replace("pathlib._local.", "pathlib.")
    return str(annotation)


def assignable(source: Any, target: Any) -> bool:
    """Whether a value of type `source` may go where `target` is asked for.

    Errs on the side of yes where annotations do not tell; `int` goes into `float`, as in Python's own rules.
    """
    source, target = strip(source), strip(target)
    if source is target or source is Any or target is Any or target is object:
        return True
    if isinstance(source, (str, typing.TypeVar)) or isinstance(target, (str, typing.TypeVar)):
        return True
    sources = union_members(source)
    if len(sources) > 1:
        # an Optional output may be given where its type is asked for: None at run time is the step's own error
        return all(assignable(member, target) for member in sources if member is not type(None))
    targets = union_members(target)
    if len(targets) > 1:
        return any(assignable(source, member) for member in targets)
    if get_origin(source) is typing.Literal:
        if get_origin(target) is typing.Literal:
            return set(get_args(source)) <= set(get_args(target))
        return all(assignable(type(item), target) for item in get_args(source))
    if get_origin(target) is typing.Literal:
        return any(assignable(source, type(item)) for item in get_args(target))
    base, wanted = get_origin(source) or source, get_origin(target) or target
    if not _class_fits(base, wanted):
        return False
    have, want = get_args(source), get_args(target)
    if not have or not want:
        return True
    if base is tuple or wanted is tuple:
        return _tuple_fits(base, have, wanted, want)
    return len(have) != len(want) or all(assignable(a, b) for a, b in zip(have, want, strict=True))


def _class_fits(base: Any, wanted: Any) -> bool:
    if typing.is_typeddict(base):
        base = dict
    if typing.is_typeddict(wanted):
        wanted = dict
    if wanted in _ABSTRACT:
        return base in _ABSTRACT or (isinstance(base, type) and issubclass(base, wanted))
    if base in _ABSTRACT:
        return wanted in _ABSTRACT[base]
    if not isinstance(base, type) or not isinstance(wanted, type):
        return True
    if wanted is float and base is int:
        return True
    if base is bool and wanted in (int, float):
        return False
    try:
        return issubclass(base, wanted)
    except TypeError:
        return True


def _tuple_fits(base: Any, have: tuple[Any, ...], wanted: Any, want: tuple[Any, ...]) -> bool:
    if base is tuple and wanted is tuple:
        if Ellipsis in have or Ellipsis in want:
            return assignable(have[0], want[0])
        return len(have) == len(want) and all(assignable(a, b) for a, b in zip(have, want, strict=True))
    items = have if base is tuple else want
    other = want if base is tuple else have
    return all(assignable(a, b) for a in items if a is not Ellipsis for b in other if b is not Ellipsis)


def element_type(annotation: Any) -> Any:
    """The type of one element of a list, tuple or set type; Any when it does not say."""
    annotation = strip(annotation)
    args = get_args(annotation)
    origin = get_origin(annotation) or annotation
    if origin is tuple and args and Ellipsis not in args:
        return args[0] if len(set(map(repr, args))) == 1 else Any
    return args[0] if args and origin is not dict else Any


def fixed_length(annotation: Any) -> int | None:
    """How many items a tuple type has, where it says so."""
    annotation = strip(annotation)
    if is_namedtuple(annotation):
        return len(annotation._fields)
    args = get_args(annotation)
    return len(args) if get_origin(annotation) is tuple and Ellipsis not in args else None


def fields_of(annotation: Any) -> tuple[str, ...] | None:
    """Names of the fields of a dataclass, a pydantic model, a NamedTuple or a TypedDict; None for anything else."""
    members = [member for member in union_members(annotation) if member is not type(None)]
    kind = members[0] if len(members) == 1 else None
    if is_namedtuple(kind):
        return tuple(kind._fields)  # type: ignore[union-attr]
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    if is_pydantic(kind) or typing.is_typeddict(kind):
        return tuple(typing.get_type_hints(kind))
    return None


def field_type(annotation: Any, key: Any) -> Any:
    """The type of `value[key]` or `value.key`; raises KeyError when there is no such field."""
    annotation = strip(annotation)
    members = [member for member in union_members(annotation) if member is not type(None)]
    if len(members) != 1:
        return Any
    annotation = members[0]
    origin, args = get_origin(annotation) or annotation, get_args(annotation)
    if annotation is Any:
        return Any
    if is_namedtuple(annotation) or dataclasses.is_dataclass(annotation) or is_pydantic(annotation):
        hints = typing.get_type_hints(annotation)
        if isinstance(key, int) and is_namedtuple(annotation):
            key = annotation._fields[key]
        return hints[key]
    if typing.is_typeddict(annotation):
        return typing.get_type_hints(annotation)[key]
    if origin is dict or origin in (collections.abc.Mapping, collections.abc.MutableMapping):
        return args[1] if len(args) == 2 else Any
    if origin is tuple and args and Ellipsis not in args and isinstance(key, int):
        return args[key]
    if origin in (list, tuple, collections.abc.Sequence) and isinstance(key, int):
        return args[0] if args else Any
    raise KeyError(key)
