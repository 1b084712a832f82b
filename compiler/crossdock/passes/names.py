"""Task ids: unique, and such that every target can take them as labels."""

from __future__ import annotations

import re
from collections.abc import Mapping

from crossdock.dsl.errors import TraceError, shown
from crossdock.dsl.step import LONGEST

_OURS = re.compile(r"^(when|map)(-\d+)*(-else)?$")


def label_of(name: str) -> str:
    """A name as the labels of every target take it: two names with one label would be one task there."""
    return name.strip("_").replace("_", "-").lower()[:LONGEST]


class Names:
    """The task ids of one plan, each by its label."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}
        self._counts: dict[str, int] = {}

    def fix(self, name: str, locations: Mapping[str, str], where: str) -> str:
        """Take the id that a user chose.

        Raises:
            TraceError: it is taken, or one of our own.
        """
        label = label_of(name)
        other = self._taken.get(label)
        if _OURS.match(label):
            message = f"a task cannot be named {name!r}: branches and maps are"
            raise TraceError(message, where=where, hint="take another name=", id="name-taken")
        if other is not None:
            same = f"named {name!r}" if name == other else f"named {other!r} and {name!r}, which are one label"
            message = f"two tasks are {same}; the first is at {shown(locations[other])}"
            raise TraceError(message, where=where, hint="give one of them another name=", id="name-taken")
        self._taken[label] = name
        return name

    def new(self, step: str) -> str:
        """An id for one more use of a step: its name, then with -2, -3, …"""
        stem = label_of(step)
        if _OURS.match(stem):
            stem = f"{stem}-step"
        count = self._counts.get(stem, 0) + 1
        while (found := _numbered(stem, count)) in self._taken:
            count += 1
        self._counts[stem] = count
        self._taken[found] = found
        return found


def _numbered(stem: str, count: int) -> str:
    end = "" if count == 1 else f"-{count}"
    return stem[: LONGEST - len(end)].rstrip("-") + end
