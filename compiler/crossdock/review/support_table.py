"""What each of our targets does with each feature, as Markdown: from the same facts as the compiler's errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from crossdock import registry
from crossdock.ir import Feature, Level
from crossdock.stacks import Orchestrator

OURS = "crossdock"
WORDS = {
    Level.FULL: "yes",
    Level.RUNTIME: "runtime",
    Level.NOTIMPL: "not built",
    Level.NOTYET: "not yet",
    Level.NEVER: "never",
}
_LEGEND = {
    Level.FULL: "natively, by the platform itself",
    Level.RUNTIME: "with the same meaning, by Crossdock's runtime or in terms of something else",
    Level.NOTIMPL: "the platform could; Crossdock does not do it yet",
    Level.NOTYET: "the platform cannot do it yet",
    Level.NEVER: "it makes no sense there",
}

_MARKUP = re.compile(r"[|*_<`\\]")

Targets = Sequence[type[Orchestrator[Any]]]


def our_targets() -> Targets:
    """The orchestrators of our own distribution; what others have installed here is not in our documentation."""
    return [
        registry.flavor("orchestrator", name)
        for name in registry.flavors("orchestrator")
        if (by := registry.offered_by("orchestrator", name)) is not None and by.name == OURS
    ]


def table(targets: Targets) -> str:
    """A row a feature, a column a target."""
    rows = [[feature.value, *(WORDS[target.features[feature].level] for target in targets)] for feature in Feature]
    return _table(["feature", *(target.flavor for target in targets)], rows)


def page(targets: Targets) -> str:
    """The page: the table, then why, and what to do instead."""
    return "\n".join(_page(targets))


def _page(targets: Targets) -> Iterator[str]:
    yield "# What each target does"
    yield ""
    yield "What a target does not take, `crossdock check SOURCE --target …` says before anything is submitted, with the"
    yield "task and its line. This page is written from the same facts."
    yield ""
    yield table(targets)
    for level, meaning in _LEGEND.items():
        yield f"- **{WORDS[level]}**: {meaning}"
    yield ""
    for target in targets:
        yield from _target(target)


def _target(target: type[Orchestrator[Any]]) -> Iterator[str]:
    supports = [(feature, target.features[feature]) for feature in Feature]
    holes = [(feature, support) for feature, support in supports if not support.works]
    otherwise = [(feature, support) for feature, support in supports if support.works and support.notice]
    rules = list(target.rules)
    yield f"## {target.flavor}"
    yield ""
    if holes:
        yield "Refused:"
        yield ""
        rows = [[feature.value, WORDS[support.level], support.reason, support.hint] for feature, support in holes]
        yield _table(["feature", "", "why", "instead"], rows)
    if otherwise:
        yield "Taken, with a note when a pipeline is compiled:"
        yield ""
        yield _table(["feature", "what is different"], [[feature.value, found.notice] for feature, found in otherwise])
    if rules:
        yield "What must hold besides:"
        yield ""
        yield from (f"- {_cell(rule.name)}" for rule in rules)
        yield ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
