"""Values as tagged canonical JSON: what a value is, its bytes, and its digest.

Two values have the same canonical bytes exactly when their types and contents are the same, so `1`, `1.0`,
`True` and `"1"` are four values. A dict's order is part of its contents.
"""

from __future__ import annotations

import binascii
import dataclasses
import datetime as dt
import importlib
import math
import sys
from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from typing import Any

from crossdock_runtime._canonical import NotAValue, NotDecodable, Tagged, digest, dumps, loads

__all__ = [
    "NotAValue", "NotDecodable", "Tagged",
    "encode", "decode", "canonical_bytes", "value_digest",
    "dumps", "loads", "digest", "type_name",
]  # fmt: skip

_JSON_INT = 2**53
_DECIMAL_BITS = 12_000  # beyond about 4300 digits Python refuses decimal text, so hexadecimal is used


def encode(value: object) -> Tagged:
    """The tagged JSON document of a value.

    Raises:
        NotAValue: the object, or something inside it, is not a value.
    """
    try:
        return _encode(value)
    except RecursionError:
        raise NotAValue("contains itself, or is nested too deeply") from None


def decode(tagged: Tagged) -> Any:
    """The value that a tagged JSON document describes.

    Raises:
        NotDecodable: (a ValueError) the document is malformed, or names a class that cannot be used.
    """
    try:
        return _decode(tagged)
    except RecursionError:
        raise NotDecodable("the document is nested too deeply") from None


def canonical_bytes(value: object) -> bytes:
    """The canonical JSON bytes of a value.

    Raises:
        NotAValue: the object is not a value.
    """
    return dumps(encode(value))


def value_digest(value: object) -> str:
    """`sha256:<hex>` of the canonical bytes of a value."""
    return digest(canonical_bytes(value))


def type_name(cls: type) -> str:
    """The dotted name of a type as manifests spell it: `pandas.DataFrame`, and `int` without its module."""
    module = cls.__module__
    if module == "builtins":
        return cls.__qualname__
    return f"{'pathlib' if module == 'pathlib._local' else module}.{cls.__qualname__}"


def _is_text(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _encode(value: Any) -> Tagged:
    kind = type(value)
    if value is None or kind is bool:
        return value
    encoder = _ENCODERS.get(kind)
    return encoder(value) if encoder is not None else _encode_object(value, kind)


def _encode_str(value: str) -> Tagged:
    # Lone surrogates may pair up in JSON text, so that two different strings would share their bytes.
    return value if _is_text(value) else {"$str": value.encode("utf-8", "surrogatepass").hex()}


def _encode_int(value: int) -> Tagged:
    if -_JSON_INT < value < _JSON_INT:
        return value
    return {"$int": str(value) if value.bit_length() < _DECIMAL_BITS else hex(value)}


def _encode_float(value: float) -> Tagged:
    if math.isfinite(value):
        return value
    return {"$float": "nan" if value != value else "inf" if value > 0 else "-inf"}


def _encode_items(items: Any) -> list[Tagged]:
    out: list[Tagged] = []
    append = out.append
    index = 0
    try:
        for index, item in enumerate(items):  # noqa: B007 - read when an item is refused
            append(_encode(item))
    except NotAValue as error:
        raise NotAValue(error.reason, f"[{index}]{error.path}") from None
    return out


def _encode_dict(value: dict[Any, Any]) -> Tagged:
    if all(type(key) is str and key[:1] != "$" and _is_text(key) for key in value):
        out: dict[str, Tagged] = {}
        key = ""
        try:
            for key, item in value.items():
                out[key] = _encode(item)
        except NotAValue as error:
            raise NotAValue(error.reason, f"[{key!r}]{error.path}") from None
        return out
    pairs: list[Tagged] = []
    for key, item in value.items():
        try:
            tagged_key = _encode(key)
        except NotAValue as error:
            raise NotAValue(f"key {key!r}: {error.reason}", error.path) from None
        try:
            pairs.append([tagged_key, _encode(item)])
        except NotAValue as error:
            raise NotAValue(error.reason, f"[{key!r}]{error.path}") from None
    return {"$dict": pairs}


def _encode_set(value: frozenset[Any] | set[Any]) -> Tagged:
    return {f"${type(value).__name__}": sorted(_encode_items(value), key=dumps)}


def _zone(value: dt.datetime | dt.time, text: dict[str, Tagged]) -> Tagged:
    if value.fold:
        text["fold"] = 1
    zone = value.tzinfo
    if zone is None or type(zone) is dt.timezone:
        return text
    key = getattr(zone, "key", None)
    if type(zone).__module__.partition(".")[0] != "zoneinfo" or not isinstance(key, str):
        raise NotAValue(f"its time zone is a {type_name(type(zone))}; use zoneinfo.ZoneInfo or datetime.UTC")
    text["zone"] = key
    return text


def _encode_object(value: Any, kind: type) -> Tagged:
    if isinstance(value, Enum):
        name = value.name
        if name in kind.__members__:  # type: ignore[attr-defined]
            return {"$enum": _reference(kind), "name": name}
        return {"$enum": _reference(kind), "value": _encode(value.value)}
    if _is_named_tuple(kind):
        fields: tuple[str, ...] = kind._fields  # type: ignore[attr-defined]
        items = [_field(name, item) for name, item in zip(fields, value, strict=True)]
        return {"$namedtuple": _reference(kind), "items": items}
    if any(type_name(cls) == "numpy.generic" for cls in kind.__mro__):
        raise NotAValue(f"{type_name(kind)} is not a value type, call .item()")
    if isinstance(value, (str, int, float, list, dict, tuple, set, frozenset, bytes)):
        base = next(cls for cls in kind.__mro__ if cls in _ENCODERS or cls is bool)
        raise NotAValue(f"{type_name(kind)} is a subclass of {base.__name__}, whose type JSON would lose")
    for tag, (module, name) in _LATE.items():
        if kind is getattr(sys.modules.get(module), name, None):
            return {tag: str(value)}
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(value)]
        return {"$dataclass": _reference(kind), "fields": _attributes(value, names)}
    if _is_model(kind):
        return _encode_model(value, kind)
    raise NotAValue(f"{type_name(kind)} is not a value type")


def _field(name: str, value: object) -> Tagged:
    try:
        return _encode(value)
    except NotAValue as error:
        raise NotAValue(error.reason, f".{name}{error.path}") from None


def _attributes(value: object, names: list[str]) -> dict[str, Tagged]:
    return {name: _field(name, getattr(value, name)) for name in names if hasattr(value, name)}


def _encode_model(value: Any, kind: type) -> Tagged:
    names = list(kind.__pydantic_fields__)  # type: ignore[attr-defined]
    out: dict[str, Tagged] = {"$model": _reference(kind), "fields": _attributes(value, names)}
    for tag, attribute in (("extra", "__pydantic_extra__"), ("private", "__pydantic_private__")):
        more = getattr(value, attribute, None)
        if more is not None:
            out[tag] = _encode_dict(more)
    fields_set = value.model_fields_set
    if fields_set != set(names):
        out["set"] = sorted(fields_set)
    return out


def _is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and hasattr(kind, "_fields") and hasattr(kind, "_make")


def _is_model(kind: type) -> bool:
    return hasattr(kind, "__pydantic_fields__") and hasattr(kind, "model_dump")


@lru_cache(maxsize=1024)
def _reference(kind: type) -> str:
    """`module:Qualname` of a class that can be found again under that name."""
    reference = f"{kind.__module__}:{kind.__qualname__}"
    found: Any = sys.modules.get(kind.__module__)
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    if found is not kind:
        raise NotAValue(f"{reference} cannot be imported by that name; define it at the top of a module")
    return reference


_CHECKS: dict[str, tuple[str, Callable[[type], bool]]] = {
    "$dataclass": ("a dataclass", dataclasses.is_dataclass),
    "$enum": ("an Enum", lambda cls: issubclass(cls, Enum)),
    "$model": ("a pydantic model", _is_model),
    "$namedtuple": ("a NamedTuple", _is_named_tuple),
}


@lru_cache(maxsize=1024)
def _resolve(reference: str, tag: str) -> Any:
    """The class that a tag names; imports its module.

    Raises:
        NotDecodable: nothing is there, or it is another kind of thing.
    """
    what, check = _CHECKS[tag]
    module, _, qualname = reference.partition(":")
    if not all(part.isidentifier() for part in module.split(".")) or not qualname:
        raise NotDecodable(f"{tag} {reference!r} is not of the form module:Name")
    try:
        found: Any = importlib.import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise NotDecodable(f"the stored {reference} cannot be imported here: {error}") from error
    if not (isinstance(found, type) and check(found)):
        raise NotDecodable(f"the stored value names {reference} as {what}, and it is not one")
    return found


def _decode(tagged: Any) -> Any:
    kind = type(tagged)
    if kind is list:
        return [_decode(item) for item in tagged]
    if kind is not dict:
        return tagged
    tag = next(iter(tagged), "")
    if tag[:1] != "$":
        return {key: _decode(item) for key, item in tagged.items()}
    decoder = _DECODERS.get(tag)
    if decoder is None:
        raise NotDecodable(f"unknown tag {tag!r}: the value was written by a newer Crossdock")
    try:
        return decoder(tagged[tag], tagged)
    except NotDecodable:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise NotDecodable(f"malformed {tag}: {error}") from error


def _decode_int(body: str, _: Tagged) -> int:
    return int(body, 16) if body.lstrip("-").startswith("0x") else int(body)


def _decode_zoned(value: Any, whole: dict[str, Tagged]) -> Any:
    if "zone" in whole:
        from zoneinfo import ZoneInfo

        value = value.replace(tzinfo=ZoneInfo(whole["zone"]))
    return value.replace(fold=1) if whole.get("fold") else value


def _decode_enum(body: str, whole: dict[str, Tagged]) -> Any:
    cls = _resolve(body, "$enum")
    return cls[whole["name"]] if "name" in whole else cls(_decode(whole["value"]))


def _stored_fields(reference: str, whole: dict[str, Tagged], known: list[str]) -> dict[str, Any]:
    stored = {name: _decode(item) for name, item in whole["fields"].items()}
    unknown = ", ".join(sorted(stored.keys() - set(known)))
    if unknown:
        raise NotDecodable(f"the stored {reference} has fields that the class has not: {unknown}")
    return stored


def _decode_dataclass(body: str, whole: dict[str, Tagged]) -> Any:
    cls = _resolve(body, "$dataclass")
    known = cls.__dataclass_fields__
    stored = _stored_fields(body, whole, [field.name for field in dataclasses.fields(cls)])
    init_only = any(field._field_type.name == "_FIELD_INITVAR" for field in known.values())
    if cls.__dataclass_params__.init and not init_only:
        made = cls(**{name: item for name, item in stored.items() if known[name].init})
    else:
        made = cls.__new__(cls)
    # __post_init__ may have changed a field a second time, so what was stored has the last word.
    for name, item in stored.items():
        object.__setattr__(made, name, item)
    return made


def _decode_model(body: str, whole: dict[str, Tagged]) -> Any:
    cls = _resolve(body, "$model")
    stored = _stored_fields(body, whole, list(cls.__pydantic_fields__))
    for name, info in cls.__pydantic_fields__.items():
        if name not in stored and info.is_required():
            raise NotDecodable(f"the stored {body} has no field {name}, which the class has now")
        if name not in stored:
            stored[name] = info.get_default(call_default_factory=True)
    made = cls.__new__(cls)
    # What BaseModel.__setstate__ does: nothing is validated or computed a second time.
    object.__setattr__(made, "__dict__", stored)
    fields_set: list[str] = whole.get("set", list(whole["fields"]))
    object.__setattr__(made, "__pydantic_fields_set__", set(fields_set))
    for tag in ("extra", "private"):
        more = _decode(whole[tag]) if tag in whole else None
        object.__setattr__(made, f"__pydantic_{tag}__", more)
    return made


_ENCODERS: dict[type, Callable[[Any], Tagged]] = {
    str: _encode_str,
    int: _encode_int,
    float: _encode_float,
    list: _encode_items,
    dict: _encode_dict,
    tuple: lambda value: {"$tuple": _encode_items(value)},
    set: _encode_set,
    frozenset: _encode_set,
    bytes: lambda value: {"$bytes": binascii.b2a_base64(value, newline=False).decode("ascii")},
    dt.datetime: lambda value: _zone(value, {"$datetime": value.isoformat()}),
    dt.date: lambda value: {"$date": value.isoformat()},
    dt.time: lambda value: _zone(value, {"$time": value.isoformat()}),
    dt.timedelta: lambda value: {"$timedelta": [value.days, value.seconds, value.microseconds]},
}

# Of modules that are imported only once a value of theirs is met.
_LATE = {"$decimal": ("decimal", "Decimal"), "$uuid": ("uuid", "UUID")}

_DECODERS: dict[str, Callable[[Any, dict[str, Tagged]], Any]] = {
    "$str": lambda body, _: bytes.fromhex(body).decode("utf-8", "surrogatepass"),
    "$int": _decode_int,
    "$float": lambda body, _: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[body],
    "$dict": lambda body, _: {_decode(key): _decode(item) for key, item in body},
    "$tuple": lambda body, _: tuple(_decode(item) for item in body),
    "$set": lambda body, _: {_decode(item) for item in body},
    "$frozenset": lambda body, _: frozenset(_decode(item) for item in body),
    "$bytes": lambda body, _: binascii.a2b_base64(body, strict_mode=True),
    "$datetime": lambda body, whole: _decode_zoned(dt.datetime.fromisoformat(body), whole),
    "$date": lambda body, _: dt.date.fromisoformat(body),
    "$time": lambda body, whole: _decode_zoned(dt.time.fromisoformat(body), whole),
    "$timedelta": lambda body, _: dt.timedelta(*body),
    "$decimal": lambda body, _: importlib.import_module("decimal").Decimal(body),
    "$uuid": lambda body, _: importlib.import_module("uuid").UUID(body),
    "$enum": _decode_enum,
    "$dataclass": _decode_dataclass,
    "$namedtuple": lambda body, whole: tuple.__new__(
        _resolve(body, "$namedtuple"), [_decode(item) for item in whole["items"]]
    ),
    "$model": _decode_model,
}
