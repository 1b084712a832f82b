"""Pipeline parameters as KFP's: what its JSON numbers keep exact is native, all else is text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crossdock.dsl.errors import BadInput
from crossdock.ir import Parameter
from crossdock_runtime.parameters import native_text

RUN = "crossdock_run"
"""The hidden parameter with the run's id; empty where nobody gave one, and the runtime derives it."""
_SCALARS = {"int": "NUMBER_INTEGER", "float": "NUMBER_DOUBLE", "bool": "BOOLEAN", "str": "STRING"}


def parameter_type(item: Parameter) -> str:
    """The native type: exact for `int`, `float`, `bool` and `str`, text for all else.

    KFP's numbers are doubles: a default beyond 2**53, or one that is not finite, makes a parameter text too.
    """
    native = _SCALARS.get(item.type, "STRING")
    return "STRING" if isinstance(item.default, dict) else native


def root_inputs(parameters: Any) -> dict[str, Any]:
    """`inputDefinitions` of the pipeline itself."""
    found: dict[str, Any] = {}
    for item in parameters.values():
        native = parameter_type(item)
        body: dict[str, Any] = {"parameterType": native}
        found[item.name] = body
        if not item.required:
            default = item.default
            body["defaultValue"] = native_text(default, item) if native == "STRING" else default
            body["isOptional"] = True
    found[RUN] = {"parameterType": "STRING", "defaultValue": "", "isOptional": True}
    return found


def parameter_values(parameters: Mapping[str, Parameter], tagged: Mapping[str, Any], run: str | None) -> dict[str, Any]:
    """What a run's parameters are to a platform that takes this spec: JSON values of exactly the declared types.

    Args:
        parameters: the plan's.
        tagged: their values.
        run: the run's id; None lets the runtime derive it.

    Raises:
        BadInput: a number that a double does not hold exactly, for a parameter whose native type is a number.
    """
    found: dict[str, Any] = {}
    for item in parameters.values():
        if item.name not in tagged:
            continue
        value, native = tagged[item.name], parameter_type(item)
        if native == "STRING":
            value = native_text(value, item)
        elif isinstance(value, dict):
            (number,) = value.values()
            raise BadInput(
                f"parameter {item.name!r} ({item.type}) is {number}, and the platform keeps numbers as doubles",
                hint="finite, and at most 2**53; else declare the parameter as str",
                id="bad-parameter",
            )
        found[item.name] = value
    if run is not None:
        found[RUN] = run
    return found
