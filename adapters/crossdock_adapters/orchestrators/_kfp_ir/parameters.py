"""Pipeline parameters as KFP's: what its JSON numbers keep exact is native, all else is text."""

from __future__ import annotations

import json
from typing import Any

from crossdock.ir import Parameter

RUN = "crossdock_run"
"""The hidden parameter with the run's id; empty where nobody gave one, and the runtime derives it."""
_SCALARS = {"int": "NUMBER_INTEGER", "float": "NUMBER_DOUBLE", "bool": "BOOLEAN", "str": "STRING"}


def parameter_type(item: Parameter) -> str:
    """The native type: exact for `int`, `float`, `bool` and `str`, text for all else.

    KFP's numbers are doubles: a default beyond 2**53, or one that is not finite, makes a parameter text too.
    """
    native = _SCALARS.get(item.type, "STRING")
    return "STRING" if isinstance(item.default, dict) else native


def parameter_text(tagged: Any, type_: str) -> str:
    """A tagged value as the text after `--param NAME=`, which `crossdock_runtime.parameters` reads."""
    if isinstance(tagged, str):
        return tagged if "str" in type_.split(" | ") else json.dumps(tagged)
    if isinstance(tagged, dict) and type_ in ("int", "float"):
        (number,) = tagged.values()
        return str(number)
    return json.dumps(tagged, separators=(",", ":"))


def root_inputs(parameters: Any) -> dict[str, Any]:
    """`inputDefinitions` of the pipeline itself."""
    found: dict[str, Any] = {}
    for item in parameters.values():
        native = parameter_type(item)
        body: dict[str, Any] = {"parameterType": native}
        found[item.name] = body
        if not item.required:
            default = item.default
            body["defaultValue"] = parameter_text(default, _text_type(item)) if native == "STRING" else default
            body["isOptional"] = True
    found[RUN] = {"parameterType": "STRING", "defaultValue": "", "isOptional": True}
    return found


def _text_type(item: Parameter) -> str:
    return "str" if item.artifact else item.type
