"""Predicates, evaluated in Python by the task that makes what they compare: one meaning on every target."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from crossdock_runtime.bindings import Binding, Compare, Predicate
from crossdock_runtime.failure import TaskFailed

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda left, right: left in right,
}


def holds(predicate: Predicate, value: Callable[[Binding], Any]) -> bool:
    """Whether a predicate holds.

    Args:
        predicate: what to decide.
        value: gives the Python value of a binding.

    Raises:
        TaskFailed: two values cannot be compared.
    """
    if not isinstance(predicate, Compare):
        if predicate.op == "not":
            return not holds(predicate.terms[0], value)
        decide = all if predicate.op == "and" else any
        return decide(holds(term, value) for term in predicate.terms)
    left, right = value(predicate.left), value(predicate.right)
    try:
        return bool(_OPERATORS[predicate.op](left, right))
    except TypeError as error:
        raise TaskFailed(
            "bad input",
            f"when(…) cannot decide {left!r} {predicate.op} {right!r}: {error}",
            "compare values of one type",
        ) from None
