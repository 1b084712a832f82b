"""Call the user's code: a Python step; and what it is given: arguments, outputs, secrets."""

from __future__ import annotations

import inspect
import os
import typing
from typing import Any

from crossdock.dsl import types
from crossdock.dsl.errors import BadInput
from crossdock.dsl.settings import no_settings
from crossdock.dsl.step import Step
from crossdock_runtime.contract import PythonCode
from crossdock_runtime.failure import TaskFailed
from crossdock_runtime.loading import Project, load_object


def step_of(code: PythonCode, project: Project | None) -> Step[Any, Any]:
    """Import a step.

    Raises:
        TaskFailed: it cannot be imported here.
    """
    try:
        found = load_object(code.ref, project)
    except BadInput as error:
        message = f"{error.where}: {error.message}" if error.where else error.message
        raise TaskFailed("import error", message, error.hint) from error
    if isinstance(found, Step):
        return found
    if callable(found) and inspect.isfunction(found):
        return Step(found, found.__name__, no_settings())
    raise TaskFailed("import error", f"{code.ref} is not a step but {found!r}")


def outputs_of(step: Step[Any, Any], returned: Any) -> dict[str, Any]:
    """What a step returned, by the name of its outputs.

    Raises:
        TaskFailed: it is not what the annotation says.
    """
    signature = step.signature
    names = list(signature.outputs)
    if signature.shape == "none":
        if returned is not None:
            raise TaskFailed(
                "wrong output",
                f"step {step.name!r} is annotated -> None but returned a {type(returned).__name__}",
            )
        return {}
    if signature.shape == "single":
        found = {names[0]: returned}
    else:
        if not isinstance(returned, tuple) or len(returned) != len(names):
            count = len(returned) if isinstance(returned, tuple) else 1
            raise TaskFailed(
                "wrong output",
                f"step {step.name!r} declares {len(names)} outputs ({', '.join(names)}), returned {count}",
            )
        found = dict(zip(names, returned, strict=True))
    for name, value in found.items():
        annotation = signature.outputs[name].type
        if not _fits(value, annotation):
            raise TaskFailed(
                "wrong output",
                f"step {step.name!r} returned a {type(value).__name__} as {name!r}, "
                f"declared {types.type_text(annotation)}",
                "change the annotation or the value",
            )
    return found


def _fits(value: Any, annotation: Any) -> bool:
    bare = types.strip(annotation)
    if value is None:
        return types.is_optional(bare) or bare in (Any, object)
    if typing.is_typeddict(bare):
        return isinstance(value, dict)
    members = types.union_members(bare)
    return any(
        value in typing.get_args(member)
        if typing.get_origin(member) is typing.Literal
        else types.assignable(type(value), typing.get_origin(member) or member)
        for member in members
    )


def convert(value: Any, annotation: Any) -> Any:
    """A value as the step's annotation wants it where JSON or a list stands for it: tuples, sets, Optional ones."""
    members = [member for member in types.union_members(annotation) if member is not type(None)]
    if len(members) == 1 and isinstance(value, list):
        base = typing.get_origin(members[0]) or members[0]
        if base in (tuple, set, frozenset):
            return base(value)
    return value


HANDED_SECRET = "CROSSDOCK_SECRET_"
"""Begins the name of an environment variable with the value of a secret that was resolved elsewhere."""


def resolve_secret(source: str, reference: str, name: str) -> str:
    """The value of a secret.

    Args:
        source: one of `crossdock.dsl.secret_references.SECRET_SOURCES`.
        reference: what names it there.
        name: what it is for: the environment variable that a step reads.

    Raises:
        TaskFailed: it is not there, or cannot be had from here.
    """
    handed = os.environ.get(f"{HANDED_SECRET}{name}")
    if handed is not None:  # by whoever started this process, where the secret is
        return handed
    if source == "env":
        value = os.environ.get(reference)
        if value is None:
            raise TaskFailed("missing secret", f"the secret {name} is not in the environment", f"export {reference}=…")
        return value
    if source == "keyring":
        try:
            import keyring
        except ImportError:
            raise TaskFailed("missing secret", "keyring is not installed", "pip install keyring") from None
        service, _, user = reference.partition("/")
        value = keyring.get_password(service, user)
        if value is None:
            raise TaskFailed("missing secret", f"the keyring has no {reference!r}", f"keyring set {service} {user}")
        return str(value)
    if source in ("aws", "gcp", "azure"):
        from crossdock_runtime import secret_managers

        return secret_managers.read(source, reference, name)
    value = os.environ.get(name)
    if value is None:
        raise TaskFailed("missing secret", f"the platform did not provide the secret {name}")
    return value
