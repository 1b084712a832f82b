"""Flavors of components, found by entry point and loaded when they are first used."""

from __future__ import annotations

import functools
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Any

from crossdock.dsl.errors import BadInput, did_you_mean

GROUPS = {
    "orchestrator": "crossdock.orchestrators",
    "artifact_store": "crossdock.artifact_stores",
    "container_registry": "crossdock.container_registries",
    "step_operator": "crossdock.step_operators",
    "model_deployer": "crossdock.model_deployers",
    "experiment_tracker": "crossdock.experiment_trackers",
    "feature_store": "crossdock.feature_stores",
    "alerter": "crossdock.alerters",
    "annotator": "crossdock.annotators",
}
"""The entry-point group of each component type."""
BUILDERS = "crossdock.image_builders"
"""The entry-point group of what builds images; each is a class, and no component."""


@functools.cache
def _points(type_: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUPS[type_]):
        other = found.get(point.name)
        if other is not None and other.value != point.value:
            raise BadInput(
                f"two packages offer the {_words(type_)} flavor {point.name!r}: {other.value} and {point.value}",
                hint="uninstall one of them",
                id="two-packages",
            )
        found[point.name] = point
    return found


def image_builder(name: str) -> Any:
    """What builds images, by its name.

    Raises:
        BadInput: there is none of that name, or it cannot be loaded.
    """
    points = {point.name: point for point in entry_points(group=BUILDERS)}
    if name not in points:
        raise BadInput(
            f"there is no image builder {name!r}", hint=did_you_mean(name, sorted(points)), id="unknown-flavor"
        )
    try:
        return points[name].load()()
    except ImportError as error:
        raise BadInput(
            f"the image builder {name!r} cannot be loaded: {error}",
            hint=_install(points[name], name),
            id="flavor-not-loadable",
        ) from error


def flavors(type_: str) -> tuple[str, ...]:
    """Names of the installed flavors of a component type, sorted."""
    return tuple(sorted(_points(type_)))


def offered_by(type_: str, name: str) -> Distribution | None:
    """The installed distribution that offers a flavor; None when it cannot be told."""
    point = _points(type_).get(name)
    return point.dist if point is not None else None


def _install(point: EntryPoint, name: str) -> str:
    package = point.dist.name if point.dist is not None else "crossdock"
    return f"pip install 'crossdock[{name}]'" if package == "crossdock" else f"pip install --force-reinstall {package}"


def flavor(type_: str, name: str) -> type[Any]:
    """The class of a flavor.

    Raises:
        BadInput: there is none of that name, or it cannot be loaded.
    """
    point = _points(type_).get(name)
    if point is None:
        raise BadInput(
            f"there is no {_words(type_)} flavor {name!r}", hint=did_you_mean(name, flavors(type_)), id="unknown-flavor"
        )
    try:
        found = point.load()
    except ImportError as error:
        raise BadInput(
            f"the {_words(type_)} flavor {name!r} cannot be loaded: {error}",
            hint=_install(point, name),
            id="flavor-not-loadable",
        ) from error
    if getattr(found, "flavor", None) != name:
        raise BadInput(
            f"{point.value} calls itself {getattr(found, 'flavor', None)!r}, its entry point {name!r}",
            id="flavor-not-loadable",
        )
    if getattr(found, "type", None) != type_:
        raise BadInput(
            f"{point.value} is no {_words(type_)}, but its entry point is in the group {GROUPS[type_]}",
            id="flavor-not-loadable",
        )
    component: type[Any] = found
    return component


def _words(type_: str) -> str:
    return type_.replace("_", " ")
