"""What a platform is told about a task that is done."""

from __future__ import annotations

import json
from typing import Any

from crossdock_runtime.bindings import Collect, Output, leaves
from crossdock_runtime.context import RunContext
from crossdock_runtime.contract import MapScope, Task
from crossdock_runtime.failure import TaskFailed
from crossdock_runtime.inputs import NotThere, Skip
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
    if isinstance(scope, MapScope) and task.id in {item.task for item in _sources(scope.items)}:
        return item_numbers(context, scope, index)
    raise TaskFailed("bad input", f"task {task.id!r} emits no {name!r}")


def item_numbers(context: RunContext, scope: MapScope, index: Index) -> str:
    """The numbers of a map's items as a JSON list of texts; none where what lists them was skipped.

    Raises:
        TaskFailed: a task that the list comes from has no result.
    """
    try:
        count = len(context.resolver().items(scope, index))
    except Skip:
        count = 0
    except NotThere as error:
        raise TaskFailed(
            "upstream failed", f"the items of {scope.id!r} come from {error}, which has no result"
        ) from None
    return json.dumps([str(number) for number in range(count)])


def _sources(binding: Any) -> list[Output | Collect]:
    return [item for item in leaves(binding) if isinstance(item, (Output, Collect))]
