"""Pipeline parameters as KFP's: what its JSON numbers keep exact is native, all else is text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crossdock.dsl.errors import BadInput
from crossdock.ir import Parameter, Plan
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


def parameter_values(spec: Mapping[str, Any], plan: Plan, tagged: Mapping[str, Any]) -> dict[str, Any]:
    """A run's parameters, as JSON values of exactly the types that a spec declares.

    Args:
        spec: the pipeline spec.
        plan: what it was made of.
        tagged: the plan's parameters.

    Raises:
        BadInput: the spec has no such parameter, or wants another; or a number is none that a double holds exactly.
    """
    declared = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    found = {}
    for name, value in tagged.items():
        if name not in declared:
            hint = "the spec was made of another pipeline: export it again"
            raise BadInput(f"the spec has no parameter {name!r}", hint=hint, id="unknown-parameter")
        native = declared[name]["parameterType"]
        found[name] = native_text(value, plan.parameters[name]) if native == "STRING" else value
        if isinstance(found[name], dict):
            (number,) = value.values()
            raise BadInput(
                f"parameter {name!r} is {number}, and the platform keeps a {native} as a double",
                hint="finite, and at most 2**53; or annotate the parameter as str, and convert it in a step",
                id="bad-parameter",
            )
    for name, body in declared.items():
        if name != RUN and not body.get("isOptional") and name not in found:
            raise BadInput(f"the spec wants the parameter {name!r}", hint=f"-p {name}=…", id="missing-parameter")
    return found
