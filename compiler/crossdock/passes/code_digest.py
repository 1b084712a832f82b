"""The digest of a step's code, which is part of its cache key.

It is over the canonical text of the step and of everything in the user's project that it reaches by static
reference. Where that cannot be told, the whole module is taken: too much costs a run, too little gives a
wrong result. Standard library only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from crossdock.passes.reach import Reach, file_of, module_of, statement_of
from crossdock.passes.resolve import OURS, Resolver
from crossdock_runtime.loading import Project

_resolvers: dict[Project, Resolver] = {}
_results: dict[Project, dict[tuple[str, str, int], Reach]] = {}


def code_digest(function: Callable[..., Any], project: Project) -> str:
    """The digest of a function's code, "sha256:…".

    Comments, blank lines, layout and the settings of Crossdock's own decorators do not change it; the code of
    the function, and of anything in the project that it reaches, does. Every supported Python gives the same.

    Args:
        function: the plain function of a step.
        project: the project that it is in.

    Raises:
        CrossdockError: the function has no source.
    """
    return _reach(function, project).digest


def code_report(function: Callable[..., Any], project: Project) -> dict[str, str]:
    """What the digest is over: a digest for each "module:name", for `explain-cache`.

    Raises:
        CrossdockError: the function has no source.
    """
    return dict(_reach(function, project).report)


def imported_distributions(function: Callable[..., Any], project: Project) -> tuple[str, ...]:
    """The top-level names of the libraries that the function's code imports, apart from the standard one and ours.

    Raises:
        CrossdockError: the function has no source.
    """
    return tuple(sorted(_reach(function, project).libraries - sys.stdlib_module_names - set(OURS)))


def _reach(function: Callable[..., Any], project: Project) -> Reach:
    resolver = _resolvers.get(project)
    if resolver is None or not resolver.fresh():
        resolver = _resolvers[project] = Resolver(project)
        _results[project] = {}
    known = _results[project]
    code = getattr(function, "__code__", None)
    key = (function.__module__, function.__qualname__, getattr(code, "co_firstlineno", 0))
    if key in known and not known[key].unknown:
        return known[key]
    file = file_of(function)
    if file is None or "<locals>" in function.__qualname__:
        reach = Reach(resolver)
        reach.start_from(function, file)
        return reach
    module = module_of(function, file, resolver)
    reach = known[key] = Reach(resolver)
    reach.start(module.name, statement_of(function, module))
    return reach
