"""Maps whose number of items no task says: a container of ours lists the item numbers first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from crossdock.ir import GateCode, Input, ListOf, Literal, MapScope, Output, OutputType, Plan, Task


def static_length(scope: MapScope) -> int | None:
    """How many items a map has, when the plan says it."""
    items = scope.items
    if isinstance(items, ListOf):
        return len(items.items)
    if isinstance(items, Literal):
        value = items.value
        if isinstance(value, dict):
            (value,) = value.values()
        return len(value)
    return None


def with_lists(plan: Plan) -> tuple[Plan, Mapping[str, str]]:
    """The plan with a node for each list that is a parameter, a map's results, or a part of another map's item.

    Such a node is no task of the plan that runs: it has no record, and is done again whenever it is asked.

    Returns:
        The plan, for the graph alone; and the map of each node, by the node's id.
    """
    lists: dict[str, str] = {}
    nodes: dict[str, Task] = {}
    scopes = dict(plan.scopes)
    for scope in plan.scopes.values():
        if not isinstance(scope, MapScope) or static_length(scope) is not None or isinstance(scope.items, Output):
            continue
        name = f"items-{scope.id}"
        while name in plan.by_id:
            name += "-2"
        items, output = {"items": Input(scope.items, "list")}, {"output": OutputType("list")}
        nodes[scope.id] = Task(name, "items", GateCode(), items, output, scope=scope.parent)
        scopes[scope.id] = replace(scope, items=Output(name, "output"))
        lists[name] = scope.id
    if not lists:
        return plan, lists
    tasks: list[Task] = []
    for task in plan.tasks:
        for around in plan.scopes_of(task.scope):
            node = nodes.pop(around.id, None)
            if node is not None:
                tasks.append(node)
        tasks.append(task)
    return replace(plan, tasks=tuple(tasks), scopes=scopes), lists
