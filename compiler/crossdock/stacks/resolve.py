"""From definitions to a stack of components: flavors are loaded, configurations checked, and the members fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crossdock import registry
from crossdock.dsl.errors import BadInput, CrossdockError, Problem, did_you_mean
from crossdock.stacks.base import ArtifactStore, ComponentConfig, Stack, StackComponent
from crossdock.stacks.definitions import PROJECT, ComponentDefinition, StackDefinition, dashed, title
from crossdock.stacks.documents import line_of
from crossdock.stacks.guardrails import Guardrails
from crossdock.stacks.orchestrators import Orchestrator


def build_stack(
    stack: StackDefinition, component: Callable[[str, str], ComponentDefinition], project: Path | None = None
) -> Stack:
    """The stack of a definition.

    Args:
        stack: its definition.
        component: gives the definition of a component by type and name.
        project: the project's folder, in which relative paths of its components begin.

    Raises:
        BadInput: a component is not there, its flavor or configuration is wrong, or the members do not fit; has
            every problem at once.
    """
    problems: list[CrossdockError | Problem] = []
    made: dict[str, list[StackComponent[Any]]] = {}
    for type_, name in stack.members():
        try:
            definition = component(type_, name)
            made.setdefault(type_, []).append(build_component(definition))
            if definition.level == PROJECT:
                made[type_][-1].folder = project
        except BadInput as error:
            where = error.where or _place_in(stack.file, "components", type_)
            problems += error.problems or [Problem(error.message, where=where, hint=error.hint, id=error.id)]
    guardrails = None
    try:
        guardrails = Guardrails.of(stack)
    except BadInput as error:
        problems += error.problems or [Problem(error.message, where=error.where, hint=error.hint, id=error.id)]
    if not problems:
        problems += unfit(stack.name, made)
    if problems or guardrails is None:
        count = f": {len(problems)} problems" if len(problems) > 1 else ""
        raise BadInput(f"stack {stack.name!r} cannot be used{count}", problems=problems, id="unusable-stack")
    orchestrator, store = made.pop("orchestrator")[0], made.pop("artifact_store")[0]
    assert isinstance(orchestrator, Orchestrator)
    assert isinstance(store, ArtifactStore)
    others = {f"{type_}/{item.name}": item for type_, items in made.items() for item in items}
    return Stack(stack.name, orchestrator, store, others, guardrails)


def build_component(definition: ComponentDefinition) -> StackComponent[Any]:
    """The component of a definition.

    Raises:
        BadInput: there is no such flavor, or the configuration is not what it takes.
    """
    try:
        flavor = registry.flavor(definition.type, definition.flavor)
    except BadInput as error:
        raise BadInput(error.message, where=_place(definition, "flavor"), hint=error.hint, id=error.id) from None
    component: StackComponent[Any] = flavor(definition.name, read_config(flavor, definition))
    return component


def read_config(flavor: type[StackComponent[Any]], definition: ComponentDefinition) -> ComponentConfig:
    """A configuration as its flavor's model.

    Raises:
        BadInput: unknown keys, or values of another type; has every problem at once.
    """
    try:
        return flavor.Config(**definition.config)
    except ValidationError as error:
        problems = [
            Problem(
                f"{title(definition.type)} {definition.name!r}: {_said(flavor, item)}",
                where=_place(definition, "config", *item["loc"]),
                hint=_hint(flavor, item),
                id="bad-config",
            )
            for item in error.errors()
        ]
    what = f"the configuration of {title(definition.type)} {definition.name!r} is wrong"
    raise BadInput(what, where=definition.file, problems=problems, id="bad-config")


def _said(flavor: type[StackComponent[Any]], item: Mapping[str, Any]) -> str:
    place = ".".join(map(str, item["loc"]))
    if item["type"] == "extra_forbidden":
        return f"flavor {flavor.flavor!r} has no setting {place!r}"
    if item["type"] == "missing":
        return f"{place} is missing"
    if item["type"] == "secret":  # what was given may be the secret, so it is not shown
        return f"{place} {item['msg']}"
    return f"{place}: {item['msg'][:1].lower()}{item['msg'][1:]}, not {item['input']!r}"


def _hint(flavor: type[StackComponent[Any]], item: Mapping[str, Any]) -> str | None:
    fields = tuple(flavor.Config.model_fields)
    if item["type"] == "extra_forbidden" and len(item["loc"]) == 1:
        return did_you_mean(str(item["loc"][0]), fields) if fields else "it has no settings"
    return f"crossdock flavor describe {dashed(flavor.type)} {flavor.flavor}"


def _place(definition: ComponentDefinition, *keys: str | int) -> str | None:
    return _place_in(definition.file, *keys)


def _place_in(file: str | None, *keys: str | int) -> str | None:
    return f"{file}:{line_of(Path(file).expanduser(), *keys)}" if file else None


def unfit(stack: str, made: Mapping[str, list[StackComponent[Any]]]) -> Iterator[Problem]:
    """What does not go together in a stack."""
    orchestrator, store = made["orchestrator"][0], made["artifact_store"][0]
    assert isinstance(orchestrator, Orchestrator)
    assert isinstance(store, ArtifactStore)
    scheme = store.url.partition("://")[0] if "://" in store.url else "file"
    if scheme not in orchestrator.store_schemes:
        kinds = ", ".join(f"{name}://" for name in orchestrator.store_schemes)
        why = "its tasks run on other machines" if orchestrator.remote else "its tasks run on this machine"
        yield Problem(
            f"orchestrator {orchestrator.name!r} ({orchestrator.flavor}) cannot use the artifact store {store.name!r} "
            f"at {scheme}://: {why}; it takes {kinds}",
            hint=f"register an artifact store that it takes, then: crossdock stack update {stack} -a NAME",
            id="members-do-not-fit",
        )
    lost = {name: item.source for name, item in store.secrets.items() if item.source != "kubernetes"}
    if orchestrator.remote and lost:
        listed = ", ".join(f"{name} ({source})" for name, source in lost.items())
        yield Problem(
            f"artifact store {store.name!r} refers to {listed}, which the tasks of orchestrator "
            f"{orchestrator.name!r} ({orchestrator.flavor}) do not get",
            hint=f"refer to a secret of the cluster, {{kubernetes: name/key}}, or leave it out and give the tasks an "
            f"identity of the cloud: crossdock artifact-store update {store.name} …",
            id="members-do-not-fit",
        )
