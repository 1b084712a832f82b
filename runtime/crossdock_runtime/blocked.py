"""Which tasks cannot run because something that they need has failed, item by item."""

from __future__ import annotations

from crossdock_runtime.contract import Plan, Task
from crossdock_runtime.record import Index

BLOCKING = ("failed", "upstream_failed", "lost")
"""States of a task that keep those downstream from running."""


class Blocked:
    """Takes note of failures, and tells what they block."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._failed: set[tuple[str, Index]] = set()

    def add(self, task: str, index: Index, state: str) -> None:
        """A task, or an item of it, ended so."""
        if state in BLOCKING:
            self._failed.update((task, index[:depth]) for depth in range(len(index) + 1))

    def blocks(self, task: Task, index: Index) -> bool:
        """Whether a failure is upstream of a task."""
        if not self._failed:
            return False
        for name in self._plan.upstream(task):
            shared = self._plan.shared_maps(self._plan.by_id[name].scope, task.scope)
            if (name, index[:shared]) in self._failed:
                return True
        return False
