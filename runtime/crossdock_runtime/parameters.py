"""Parameter values from text: a platform's, a command line's."""

from __future__ import annotations

import json
from typing import Any

from crossdock.dsl.errors import BadInput
from crossdock_runtime import values

_BOOLS = {"true": True, "false": False}


def parse_native(text: str, type_: str) -> Any:
    """The value of a parameter's text, by the parameter's type: scalars as they are written, all else as tagged JSON.

    Raises:
        BadInput: the text is no such value.
    """
    members = type_.split(" | ")
    if "None" in members and text in ("", "null", "None"):
        return None
    for member in members:
        try:
            return _parse(text, member)
        except (ValueError, KeyError):
            continue
    raise BadInput(f"{text!r} is no {type_}")


def _parse(text: str, type_: str) -> Any:
    if type_ == "str":
        return text
    if type_ == "bool":
        return _BOOLS[text.lower()]
    if type_ == "int":
        return int(text)
    if type_ == "float":
        return float(text)
    if type_.endswith(("Path", "bytes")) and not text.startswith(("{", "[", '"')):
        return text
    return values.decode(values.loads(json.dumps(json.loads(text)).encode()))
