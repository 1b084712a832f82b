"""YAML and JSON text of a spec: block style down to the last level, scalars as JSON writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PLAIN_KEY = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*$")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "), allow_nan=False).encode


class Anchor(dict[str, Any]):
    """A mapping that others in the document refer to by name: `key: &name`."""

    def __init__(self, name: str, body: Mapping[str, Any]) -> None:
        super().__init__(body)
        self.name = name


class Merged(dict[str, Any]):
    """A mapping with all that an anchored one has, and keys of its own: `<<: *name`."""

    def __init__(self, name: str, body: Mapping[str, Any]) -> None:
        super().__init__(body)
        self.name = name


def documents(*bodies: Mapping[str, Any]) -> str:
    """The text of YAML documents, equal for equal bodies.

    A real YAML emitter takes ten times as long, and PyYAML writes keys such as `n` bare, which readers of
    YAML 1.1 take for a boolean.
    """
    return _safe("---\n".join(_document(body) for body in bodies))


def json_document(body: Mapping[str, Any]) -> str:
    """The JSON text of a document, which readers of YAML take for the same: vendors' clients read JSON as YAML."""
    lines: list[str] = []
    _members(body, "", lines)
    return _safe("{\n" + "\n".join(lines) + "\n}\n")


def _members(body: Mapping[str, Any], indent: str, lines: list[str]) -> None:
    indent += " "
    last = len(body)
    for number, (key, value) in enumerate(body.items(), 1):
        comma = "," if number < last else ""
        if isinstance(value, dict) and not _is_short(value):
            lines.append(f"{indent}{_encode(key)}: {{")
            _members(value, indent, lines)
            lines.append(f"{indent}}}{comma}")
        elif isinstance(value, dict) and value:
            ((inner, only),) = value.items()
            lines.append(f"{indent}{_encode(key)}: {{{_encode(inner)}: {_scalar(only)}}}{comma}")
        else:
            lines.append(f"{indent}{_encode(key)}: {_scalar(value)}{comma}")


def _is_short(body: dict[str, Any]) -> bool:
    """Whether a mapping stands in one line: it is empty, or has one key with no mapping or list behind it."""
    return not body or (len(body) == 1 and not isinstance(next(iter(body.values())), (dict, list)))


def _safe(text: str) -> str:
    # What stands as it is in JSON but not in YAML: control characters, line separators, halves of a pair.
    return text if text.isascii() else _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _document(body: Mapping[str, Any]) -> str:
    lines: list[str] = []
    _block(body, "", lines)
    return "\n".join(lines) + "\n"


def _block(body: Mapping[str, Any], indent: str, lines: list[str]) -> None:
    for key, value in body.items():
        shown = _key(key)
        if isinstance(value, Merged) and not value:
            lines.append(f"{indent}{shown}: *{value.name}")
        elif isinstance(value, (Anchor, Merged)):
            lines.append(f"{indent}{shown}: &{value.name}" if isinstance(value, Anchor) else f"{indent}{shown}:")
            if isinstance(value, Merged):
                lines.append(f"{indent}  <<: *{value.name}")
            _block(value, indent + "  ", lines)
        elif isinstance(value, dict) and value:
            if len(value) == 1:
                ((inner, only),) = value.items()
                if not isinstance(only, (dict, list)):
                    lines.append(f"{indent}{shown}: {{{_encode(inner)}: {_scalar(only)}}}")
                    continue
            lines.append(f"{indent}{shown}:")
            _block(value, indent + "  ", lines)
        else:
            lines.append(f"{indent}{shown}: {_scalar(value)}")


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        text = repr(value)
        # PyYAML reads 1e+16 as text; 1.0e+16 is a number to everybody.
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return _encode(value)


_keys: dict[str, str] = {}


def _key(key: str) -> str:
    shown = _keys.get(key)
    if shown is None:
        shown = key if _PLAIN_KEY.match(key) and key.lower() not in _WORDS else _encode(key)
        if len(_keys) < 512:
            _keys[key] = shown
    return shown
