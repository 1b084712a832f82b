"""What a platform is told about a task that is done."""

from __future__ import annotations

import json
from typing import Any

from crossdock_runtime.bindings import Collect, Output, leaves
from crossdock_runtime.context import RunContext
from crossdock_runtime.contract import BranchScope, Task
from crossdock_runtime.failure import TaskFailed
from crossdock_runtime.inputs import Skip
from crossdock_runtime.record import Index


def emitted(context: RunContext, task: Task, index: Index, name: str) -> str:
    """What a platform is told by `--emit`: the text of a gate, or a map's list of item numbers as JSON.

    Raises:
        TaskFailed: the task emits no such thing.
    """
    result = context.run.task(task.id, index).result()
    for gate in context.plan.gates_of.get(task.id, ()):
        if gate.id == name:
            return "skipped" if result is None else result.gates.get(name, "skipped")
    scope = context.plan.scopes.get(name)
    if scope is not None and not isinstance(scope, BranchScope):
        sources = {item.task for item in _sources(scope.items)}
        if task.id in sources:
            try:
                count = len(context.resolver().items(scope, index))
            except Skip:
                count = 0
            return json.dumps([str(number) for number in range(count)])
    raise TaskFailed("bad input", f"task {task.id!r} emits no {name!r}")


def _sources(binding: Any) -> list[Output | Collect]:
    return [item for item in leaves(binding) if isinstance(item, (Output, Collect))]
