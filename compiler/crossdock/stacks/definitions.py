"""What stacks and components are in their files: names, references and plain configuration; no adapter is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from crossdock.dsl.errors import BadInput
from crossdock.dsl.frozen import frozen

COMPONENT_TYPES = (
    "orchestrator",
    "artifact_store",
    "container_registry",
    "step_operator",
    "model_deployer",
    "experiment_tracker",
    "feature_store",
    "alerter",
    "annotator",
)
REQUIRED = ("orchestrator", "artifact_store")
"""Every stack has exactly one of each."""
SEVERAL = ("step_operator",)
"""A stack may have more than one of each, and a step names one."""
GUARDRAILS = ("protected", "limits", "allow", "deny", "require_clean_git", "require_reviewed")
DEFAULT = "default"
"""The stack, orchestrator and artifact store that are there without any set-up."""

BUILT_IN, PROJECT, USER = "built-in", "project", "user"
"""The levels at which something is defined."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10))}


@frozen
class ComponentDefinition:
    """A component: a flavor and its configuration.

    Attributes:
        type: one of `COMPONENT_TYPES`.
        config: plain data, as in its file; secrets are references such as `{env: NAME}`.
        file: where it is defined; None for a built-in one.
        level: `project`, `user` or `built-in`.
    """

    type: str
    name: str
    flavor: str
    config: Mapping[str, Any] = field(default_factory=dict)
    file: str | None = None
    level: str = BUILT_IN

    def document(self) -> dict[str, Any]:
        """What its file says."""
        return {"flavor": self.flavor, **({"config": dict(self.config)} if self.config else {})}


@frozen
class StackDefinition:
    """A stack: names of components by type, and its guardrails.

    Attributes:
        components: names by type; one each, several step operators.
        guardrails: those of `GUARDRAILS` that are set.
        file: where it is defined; None for the built-in one.
        level: `project`, `user` or `built-in`.
    """

    name: str
    components: Mapping[str, tuple[str, ...]]
    description: str = ""
    guardrails: Mapping[str, Any] = field(default_factory=dict)
    file: str | None = None
    level: str = BUILT_IN

    @property
    def orchestrator(self) -> str:
        """Name of its orchestrator."""
        return self.components["orchestrator"][0]

    @property
    def artifact_store(self) -> str:
        """Name of its artifact store."""
        return self.components["artifact_store"][0]

    def members(self) -> Iterator[tuple[str, str]]:
        """Type and name of each component, in the order of the types."""
        for type_ in COMPONENT_TYPES:
            for name in self.components.get(type_, ()):
                yield type_, name

    def document(self) -> dict[str, Any]:
        """What its file says."""
        body: dict[str, Any] = {"description": self.description} if self.description else {}
        body["components"] = {
            type_: list(self.components[type_]) if len(self.components[type_]) > 1 else self.components[type_][0]
            for type_ in COMPONENT_TYPES
            if self.components.get(type_)
        }
        body.update({name: self.guardrails[name] for name in GUARDRAILS if name in self.guardrails})
        return body


BUILT_IN_STACK = StackDefinition(
    DEFAULT, {"orchestrator": (DEFAULT,), "artifact_store": (DEFAULT,)}, "This machine, with no set-up."
)
BUILT_IN_COMPONENTS = {
    ("orchestrator", DEFAULT): ComponentDefinition("orchestrator", DEFAULT, "local"),
    ("artifact_store", DEFAULT): ComponentDefinition("artifact_store", DEFAULT, "local"),
}


def check_name(name: str, what: str) -> str:
    """A name that is a file's name on every system, and safe in labels.

    Raises:
        BadInput: it is not.
    """
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise BadInput(
            f"{name!r} is no name for {what}",
            hint="letters, digits, '-', '_' and '.', at most 63, the first a letter or digit",
            id="bad-name",
        )
    if name.partition(".")[0].lower() in _DEVICES:
        raise BadInput(
            f"{name!r} is the name of a device on Windows, so it cannot be a file there",
            hint="take another name",
            id="bad-name",
        )
    return name


def dashed(type_: str) -> str:
    """A component type as the command line spells it: `artifact-store`."""
    return type_.replace("_", "-")


def title(type_: str) -> str:
    """A component type for people: `artifact store`."""
    return type_.replace("_", " ")


def one(type_: str) -> str:
    """A component type with its article: `an artifact store`."""
    return f"{'an' if type_[0] in 'aeo' else 'a'} {title(type_)}"
