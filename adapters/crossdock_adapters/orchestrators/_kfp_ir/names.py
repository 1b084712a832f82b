"""Names that KFP, Argo and Kubernetes all take."""

from __future__ import annotations

import re

from crossdock.ir import Plan

_OTHER = re.compile(r"[^a-z0-9]+")
_LONGEST_PIPELINE = 128
GUARD = "exit-handler-1"
"""What KFP's own compiler calls the sub-DAG that an exit task waits for."""


def sanitise(text: str) -> str:
    """Lower-case letters, digits and single dashes, a letter or digit at both ends."""
    return _OTHER.sub("-", text.lower()).strip("-")


def pipeline_name(name: str) -> str:
    """The name of a pipeline as `^[a-z0-9][a-z0-9-]{0,127}$`, which the API server asks for."""
    return sanitise(name)[:_LONGEST_PIPELINE].rstrip("-") or "pipeline"


class Names:
    """Task names of one spec.

    They are unique in the whole spec and not only in their DAG: the driver looks producers up in one map over
    all nested DAGs.

    Attributes:
        tasks: task id to name.
        scopes: scope id to the name of its sub-DAG.
        wrappers: id of a branch to the name of the sub-DAG around it.
        guard: the sub-DAG that the exit task waits for.
    """

    def __init__(self, plan: Plan) -> None:
        self._taken: set[str] = set()
        exact = {task.id for task in plan.tasks if sanitise(task.id) == task.id}
        self._taken.update(exact)
        self.tasks = {task.id: task.id if task.id in exact else self._new(task.id) for task in plan.tasks}
        self.scopes: dict[str, str] = {}
        self.wrappers: dict[str, str] = {}
        for scope in plan.scopes.values():
            kind = "condition" if hasattr(scope, "gate") else "for-loop"
            self.scopes[scope.id] = self._new(f"{kind}-{scope.id}")
            if kind == "condition":
                self.wrappers[scope.id] = self._new(f"condition-branches-{scope.id}")
        self.guard = self._new(GUARD)

    def _new(self, text: str) -> str:
        stem = name = sanitise(text) or "task"
        count = 1
        while name in self._taken:
            count += 1
            name = f"{stem}-{count}"
        self._taken.add(name)
        return name
