"""Parameter values from text: a platform's, a command line's."""

from __future__ import annotations

import json
from typing import Any

from crossdock.dsl.errors import BadInput
from crossdock_runtime import values
from crossdock_runtime.nodes import Parameter

_BOOLS = {"true": True, "false": False}


def parse_native(text: str, parameter: Parameter) -> Any:
    """The tagged value of a parameter's text: scalars and places of data as they are written, all else as tagged JSON.

    Raises:
        BadInput: the text is no such value.
    """
    members = parameter.type.split(" | ")
    if "None" in members and text in ("", "null", "None"):
        return None
    if parameter.artifact:
        return text
    for member in members:
        try:
            return values.encode(_parse(text, member))
        except (ValueError, KeyError):
            continue
    raise BadInput(f"{text!r} is no {parameter.type}", id="bad-parameter")


def native_text(tagged: Any, parameter: Parameter) -> str:
    """A tagged value as the text that `parse_native` reads.

    Raises:
        BadInput: no text stands for it, as for an optional text that is `"null"`.
    """
    if isinstance(tagged, str) and (parameter.artifact or "str" in parameter.type.split(" | ")):
        text = tagged
    elif isinstance(tagged, dict) and parameter.type in ("int", "float"):
        (number,) = tagged.values()
        text = str(number)
    else:
        text = json.dumps(tagged, separators=(",", ":"))
    if parse_native(text, parameter) != tagged:
        raise BadInput(
            f"parameter {parameter.name!r} ({parameter.type}) cannot be handed to a platform as {text!r}: "
            "as text it means another value",
            hint="give the parameter one type",
            id="bad-parameter",
        )
    return text


def _parse(text: str, type_: str) -> Any:
    if type_ == "str":
        return text
    if type_ == "bool":
        return _BOOLS[text.lower()]
    if type_ == "int":
        return int(text)
    if type_ == "float":
        return float(text)
    return values.decode(values.loads(json.dumps(json.loads(text)).encode()))
