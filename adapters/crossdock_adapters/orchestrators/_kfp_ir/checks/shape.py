"""Fields and their types, as the vendor's protobufs have them."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from typing import Any

from crossdock.dsl.errors import did_you_mean
from crossdock.dsl.frozen import frozen
from crossdock_adapters.orchestrators._kfp_ir.checks.fields import MESSAGES
from crossdock_adapters.orchestrators._kfp_ir.checks.model import SpecProblem
from crossdock_adapters.orchestrators._kfp_ir.checks.source import Path

_WORDS = {"text": "a text", "int": "a whole number", "number": "a number", "bool": "true or false"}
_SNAKE = re.compile(r"_([a-z0-9])")
_DURATION = re.compile(r"^-?\d+(\.\d{1,9})?s$")
_DURATIONS = ("backoffDuration", "backoffMaxDuration")


@frozen
class _Field:
    kind: str
    group: str
    form: str


@functools.cache
def _fields(message: str) -> Mapping[str, _Field]:
    found = {}
    for word in MESSAGES[message].split():
        name, _, kind = word.partition(":")
        kind, _, group = kind.partition("@")
        form = {"[": "list", "{": "mapping"}.get(kind[0], "one")
        found[name] = _Field(kind.strip("[]{}"), group, form)
    return found


class Shape:
    """Takes what is of the right type out of a document, and notes what is not.

    Args:
        document: which of the file's documents it is.
    """

    def __init__(self, document: int) -> None:
        self.problems: list[SpecProblem] = []
        self._document = document

    def message(self, message: str, value: Any, path: Path) -> dict[str, Any]:
        """A message without what is wrong in it; its keys are as JSON has them."""
        if not isinstance(value, Mapping):
            self._wrong(path, "a mapping of fields", value)
            return {}
        fields = _fields(message)
        taken: dict[str, Any] = {}
        groups: dict[str, str] = {}
        for key, inner in value.items():
            name = _SNAKE.sub(lambda match: match[1].upper(), key) if isinstance(key, str) else ""
            place = (*path, str(key))
            field = fields.get(name)
            if field is None:
                self._add(
                    place, f"{message.rpartition('.')[2]} has no field {str(key)!r}", did_you_mean(str(key), fields)
                )
                continue
            if inner is None:
                continue
            if field.group:
                other = groups.setdefault(field.group, name)
                if other != name:
                    self._add(place, f"{name} and {other} exclude each other", f"keep one of {other} and {name}")
                    continue
            good, found = self._value(field, name, inner, place)
            if good:
                taken[name] = found
        return taken

    def _value(self, field: _Field, name: str, value: Any, path: Path) -> tuple[bool, Any]:
        if field.form == "one":
            return self._one(field.kind, name, value, path)
        if field.form == "list":
            if not isinstance(value, list):
                return self._wrong(path, "a list", value)
            each = [self._one(field.kind, name, item, (*path, index)) for index, item in enumerate(value)]
            return True, [item for good, item in each if good]
        if not isinstance(value, Mapping):
            return self._wrong(path, "a mapping of names", value)
        found = {}
        for key, item in value.items():
            if not isinstance(key, str):
                self._add((*path, str(key)), f"the name {key!r} is read as no text", "put it in quotes")
                continue
            good, inner = self._one(field.kind, name, item, (*path, key))
            if good:
                found[key] = inner
        return True, found

    def _one(self, kind: str, name: str, value: Any, path: Path) -> tuple[bool, Any]:
        if kind == "any":
            return True, value
        if kind in MESSAGES:
            return True, self.message(kind, value, path)
        if "|" in kind:
            names = kind.split("|")
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
                return True, names[value]
            if value in names:
                return True, value
            shown = ", ".join(known for known in names if "UNSPECIFIED" not in known)
            self._add(path, f"{value!r} is none of its values", f"one of {shown}")
            return False, None
        if kind == "text" and isinstance(value, str):
            if name in _DURATIONS and not _DURATION.match(value):
                return self._wrong(path, "a text of seconds such as '30s'", value)
            return True, value
        if kind == "bool" and isinstance(value, bool):
            return True, value
        if kind in ("int", "number"):
            number = _number(value)
            if number is not None and (kind == "number" or number == int(number)):
                return True, number
        return self._wrong(path, _WORDS[kind], value)

    def _wrong(self, path: Path, what: str, value: Any) -> tuple[bool, None]:
        text = repr(value)
        self._add(path, f"takes {what}, not {text if len(text) < 50 else text[:47] + '…'}", f"write {what}")
        return False, None

    def _add(self, path: Path, message: str, hint: str) -> None:
        self.problems.append(SpecProblem(path, message, hint, id="bad-field", document=self._document))


def _number(value: Any) -> float | None:
    """Protobuf's JSON takes numbers in quotes too."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
