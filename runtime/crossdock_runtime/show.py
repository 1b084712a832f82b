"""Values and artifacts as a line for people, without importing the classes of the values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crossdock_runtime import values
from crossdock_runtime.manifest import ABSENT, Manifest

_BRACKETS = {"$tuple": ("(", ")"), "$set": ("{", "}"), "$frozenset": ("frozenset({", "})")}
_OF_CLASSES = ("$dataclass", "$model")
_PLAIN = ("$date", "$datetime", "$time", "$uuid", "$decimal", "$int", "$float")


def manifest_text(manifest: Manifest, limit: int = 60) -> str:
    """An output in one short line: the value, or the type and size of what is kept in files."""
    if manifest.skipped:
        return "(skipped)"
    if manifest.value is ABSENT:
        return f"{manifest.type} ({manifest.size:,} bytes)"
    text = tagged_text(manifest.value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def tagged_text(tagged: Any) -> str:
    """A tagged value, written as in Python where that is short."""
    if isinstance(tagged, list):
        return f"[{_listed(tagged)}]"
    if not isinstance(tagged, dict):
        return repr(tagged)
    tag = next(iter(tagged), "")
    if not tag.startswith("$"):
        return "{" + ", ".join(f"{key!r}: {tagged_text(item)}" for key, item in tagged.items()) + "}"
    body = tagged[tag]
    if tag in _OF_CLASSES:
        fields = ", ".join(f"{name}={tagged_text(item)}" for name, item in tagged["fields"].items())
        return f"{_name(body)}({fields})"
    if tag == "$namedtuple":
        return f"{_name(body)}({_listed(tagged['items'])})"
    if tag == "$enum":
        return (
            f"{_name(body)}.{tagged['name']}" if "name" in tagged else f"{_name(body)}({tagged_text(tagged['value'])})"
        )
    if tag == "$dict":
        return "{" + ", ".join(f"{tagged_text(key)}: {tagged_text(item)}" for key, item in body) + "}"
    if tag in _BRACKETS:
        start, end = _BRACKETS[tag]
        return f"{start}{_listed(body)}{',' if tag == '$tuple' and len(body) == 1 else ''}{end}"
    if tag in _PLAIN:
        return str(body)
    return repr(values.decode(tagged))


def _listed(items: Iterable[Any]) -> str:
    return ", ".join(map(tagged_text, items))


def _name(reference: str) -> str:
    return reference.partition(":")[2]
