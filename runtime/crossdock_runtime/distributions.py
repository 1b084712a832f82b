"""Versions of installed libraries, by the name that they are imported by."""

from __future__ import annotations

import functools
import importlib.metadata


@functools.lru_cache(maxsize=1)
def _packages() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


@functools.lru_cache(maxsize=1024)
def version_of(name: str) -> str | None:
    """The version of the library imported as `name`; None when it is not installed.

    The name of the distribution is tried first, as a scan of all installed ones costs 50 ms and more.
    """
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        found = _packages().get(name)
        if not found:
            return None
        return ",".join(f"{item}={importlib.metadata.version(item)}" for item in sorted(set(found)))
