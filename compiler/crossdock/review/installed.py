"""What is installed here: each flavor, its extra, and which libraries of that extra are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, version
from typing import Any

from crossdock import registry
from crossdock.dsl.errors import BadInput
from crossdock.dsl.frozen import frozen

_REQUIREMENT = re.compile(
    r"""^(?P<name>[\w.-]+) \s* (?:\[[^]]*\])? \s* \(? (?P<wanted>[^;)]*) \)? \s* (?:;(?P<when>.*))?$""", re.X
)
_EXTRA = re.compile(r"""extra\s*==\s*['"](?P<name>[^'"]+)['"]""")
_AT_LEAST = re.compile(r">=\s*(?P<version>\d+(?:\.\d+)*)")


@frozen
class Library:
    """A library of an extra.

    Attributes:
        wanted: which versions, such as `>=2.9`.
        version: the one that is installed, or None.
    """

    name: str
    wanted: str
    version: str | None

    @property
    def fits(self) -> bool:
        """Whether it is installed, and not older than wanted."""
        least = _AT_LEAST.search(self.wanted)
        if self.version is None or least is None:
            return self.version is not None
        return _release(self.version) >= _release(least["version"])


@frozen
class Flavor:
    """A flavor that some installed distribution offers.

    Attributes:
        offered_by: name and version of the distribution.
        extra: the group of libraries that its client needs, or None.
        adds: what the extra adds where the flavor works without it.
        runs: for an orchestrator, whether it can start runs; it can compile in any case.
        problem: why it cannot be loaded.
        install: what to type to have what is missing.
    """

    type: str
    name: str
    offered_by: str
    extra: str | None = None
    libraries: tuple[Library, ...] = ()
    runs: bool | None = None
    problem: str | None = None
    install: str | None = None
    adds: str = ""

    @property
    def missing(self) -> tuple[Library, ...]:
        """Libraries that it needs and that are not there, or too old."""
        return () if self.adds else tuple(library for library in self.libraries if not library.fits)


def installed_flavors() -> Iterator[Flavor]:
    """Every flavor of every component type; one that cannot be loaded says why."""
    for type_ in registry.GROUPS:
        try:
            names = registry.flavors(type_)
        except BadInput as error:  # two packages offer one name
            yield Flavor(type_, "?", "unknown", problem=error.message, install=error.hint)
            continue
        for name in names:
            yield installed_flavor(type_, name)


def installed_flavor(type_: str, name: str) -> Flavor:
    """One flavor: its class is loaded, the libraries of its extra are not."""
    distribution = registry.offered_by(type_, name)
    by = f"{distribution.name} {distribution.version}" if distribution is not None else "unknown"
    try:
        found = registry.flavor(type_, name)
    except Exception as error:  # the code of a third party
        hint = getattr(error, "hint", None)
        text = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
        return Flavor(type_, name, by, problem=text, install=hint)
    libraries = tuple(_libraries(distribution, found.extra))
    return Flavor(
        type_,
        name,
        by,
        found.extra,
        libraries,
        _runs(type_, found),
        install=_install(distribution, found.extra) if not all(library.fits for library in libraries) else None,
        adds=found.extra_adds,
    )


def _runs(type_: str, found: type[Any]) -> bool | None:
    from crossdock.stacks import CanRun

    return issubclass(found, CanRun) if type_ == "orchestrator" else None


def _install(distribution: Distribution | None, extra: str | None) -> str | None:
    return f'pip install "{distribution.name}[{extra}]"' if distribution is not None else None


def _libraries(distribution: Distribution | None, extra: str | None) -> Iterator[Library]:
    for text in (distribution.requires or ()) if distribution is not None and extra else ():
        found = _REQUIREMENT.match(text)
        when = _EXTRA.search(found["when"] or "") if found is not None else None
        if found is not None and when is not None and when["name"] == extra:
            yield Library(found["name"], found["wanted"].strip(), _version(found["name"]))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _release(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", re.match(r"[\d.]*", text)[0]))  # type: ignore[index]
