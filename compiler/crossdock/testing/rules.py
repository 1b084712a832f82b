"""What every spec keeps, whatever its target."""

from __future__ import annotations

import datetime
import getpass
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from crossdock.stacks import Orchestrator, Spec

SHORTEST_NAME = 5
"""Names of users and hosts that are shorter stand in ordinary words."""


def broken(spec: Spec, flavor: str, project: Path, secrets: tuple[str, ...] = ()) -> list[str]:
    """The rules that a spec breaks, in words.

    Args:
        spec: the spec.
        flavor: the orchestrator's.
        project: the folder of the pipeline's project.
        secrets: texts that stand for values of secrets.
    """
    return [*_form(spec, flavor), *_private(spec, project, secrets)]


def _form(spec: Spec, flavor: str) -> Iterator[str]:
    if spec.target != flavor:
        yield f"the spec calls its target {spec.target!r}"
    if not spec.files:
        yield "the spec has no files"
    for name, text in spec.files.items():
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\\" in name or str(path) != name:
            yield f"{name!r} is no plain relative file name"
        if not isinstance(text, str) or not text.strip():
            yield f"{name} is empty"
            continue
        if not text.endswith("\n"):
            yield f"{name} does not end with a newline"
        if "\r" in text:
            yield f"{name} has carriage returns"
        if path.suffix == ".json":
            try:
                json.loads(text)
            except ValueError as error:
                yield f"{name} is no JSON: {error}"
        elif path.suffix in (".yaml", ".yml"):
            import yaml

            try:
                list(yaml.safe_load_all(text))
            except yaml.YAMLError as error:
                yield f"{name} is no YAML: {error}"


def _private(spec: Spec, project: Path, secrets: tuple[str, ...]) -> Iterator[str]:
    places = {
        "the project's folder": str(project),
        "the working folder": str(Path.cwd()),
        "the home folder": str(Path.home()),
        "the temporary folder": tempfile.gettempdir(),
        "Python's folder": sys.prefix,
        "today's date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    for what, text in (("the user's name", _user()), ("the host's name", platform.node())):
        if len(text) >= SHORTEST_NAME:
            places[what] = text
    for number, text in enumerate(secrets):
        places[f"the value of secret {number}"] = text
    for name, text in spec.files.items():
        for what, place in places.items():
            if len(place) > 1 and place in text:
                yield f"{name} holds {what}, {place!r}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return os.environ.get("USER", "")


def vendor_modules(orchestrator: Orchestrator[Any]) -> frozenset[str]:
    """Top-level modules of the distributions that the orchestrator's `extra` asks for, and its package does not."""
    from packaging.requirements import Requirement

    distribution = _distribution(orchestrator)
    if distribution is None or orchestrator.extra is None:
        return frozenset()
    always, extra = set(), set()
    for text in distribution.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            always.add(_plain(requirement.name))
        elif requirement.marker.evaluate({"extra": orchestrator.extra}):
            extra.add(_plain(requirement.name))
    found = set()
    for module, owners in metadata.packages_distributions().items():
        names = {_plain(owner) for owner in owners}
        if names & extra and not names & always:
            found.add(module)
    return frozenset(found)


def _distribution(orchestrator: Orchestrator[Any]) -> metadata.Distribution | None:
    for point in metadata.entry_points(group="crossdock.orchestrators"):
        if point.name == orchestrator.flavor:
            return point.dist
    return None


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
