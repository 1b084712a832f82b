"""What a target does otherwise with a plan, as rows for people."""

from __future__ import annotations

from typing import Any

from crossdock.dsl.frozen import frozen
from crossdock.ir import Feature, Level, Plan, features_of
from crossdock.stacks import Orchestrator


@frozen
class Otherwise:
    """A feature that a plan uses and that a target has not natively, or with a difference.

    Attributes:
        tasks: ids of those that use it; empty when it is the pipeline as a whole.
        how: what is done instead.
    """

    feature: Feature
    tasks: tuple[str, ...]
    how: str


def done_otherwise(plan: Plan, orchestrator: Orchestrator[Any]) -> tuple[Otherwise, ...]:
    """Everything of a plan that is done by our runtime or approximated on a target."""
    tasks: dict[Feature, dict[str, None]] = {}
    for feature, task in features_of(plan):
        tasks.setdefault(feature, {}).update({task: None} if task is not None else {})
    found = []
    for feature in Feature:
        if feature not in tasks:
            continue
        support = orchestrator.features[feature]
        how = (
            [f"by our runtime{f': {support.reason}' if support.reason else ''}"]
            if support.level is Level.RUNTIME
            else []
        )
        how += [support.notice] if support.notice else []
        if support.notice and support.level is Level.RUNTIME and not support.reason:
            how = [support.notice]
        if how:
            found.append(Otherwise(feature, tuple(tasks[feature]), "; ".join(how)))
    return tuple(found)
