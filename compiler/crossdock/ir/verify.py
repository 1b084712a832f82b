"""The rules of the IR, as code. A plan is verified before the passes and after them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from crossdock.dsl.errors import PlanError
from crossdock_runtime.bindings import Binding, Collect, Item, Output, Param, Status, leaves, operands
from crossdock_runtime.contract import BranchScope, GateCode, MapScope, Plan, Program, Task, Word

_ID = re.compile(r"^[a-z][a-z0-9_-]{0,62}$")


def unique_ids(plan: Plan) -> Iterator[str]:
    """Every task has an id of its own that fits a label and a URI."""
    seen: set[str] = set()
    for task in plan.tasks:
        if task.id in seen:
            yield f"two tasks are named {task.id!r}"
        seen.add(task.id)
        if not _ID.match(task.id.lower()):
            yield f"task id {task.id!r} fits no label"


def scopes_resolve(plan: Plan) -> Iterator[str]:
    """Scopes form a tree, branches name a gate, gates name a task."""
    for name, scope in plan.scopes.items():
        seen = {name}
        parent = scope.parent
        while parent is not None:
            if parent not in plan.scopes or parent in seen:
                yield f"scope {name!r} stands in {parent!r}, which is {'itself' if parent in seen else 'unknown'}"
                break
            seen.add(parent)
            parent = plan.scopes[parent].parent
        if isinstance(scope, BranchScope) and scope.gate not in plan.gates:
            yield f"branch {name!r} waits for the unknown gate {scope.gate!r}"
    for gate in plan.gates.values():
        if gate.task is not None and gate.task not in plan.by_id:
            yield f"gate {gate.id!r} is evaluated by the unknown task {gate.task!r}"
    for task in plan.tasks:
        if task.scope is not None and task.scope not in plan.scopes:
            yield f"task {task.id!r} stands in the unknown scope {task.scope!r}"


def _bindings(plan: Plan) -> Iterator[tuple[str, str | None, Binding]]:
    for task in plan.tasks:
        for source in task.sources():
            yield f"task {task.id!r}", task.scope, source
    for scope in plan.scopes.values():
        if isinstance(scope, MapScope):
            for source in leaves(scope.items):
                yield f"map {scope.id!r}", scope.parent, source
    for gate in plan.gates.values():
        for source in operands(gate.predicate):
            yield f"gate {gate.id!r}", None, source
    for name, item in plan.outputs.items():
        for source in leaves(item.binding):
            yield f"pipeline output {name!r}", None, source


def bindings_resolve(plan: Plan) -> Iterator[str]:
    """Every binding names a parameter, an output or an item that is there."""
    for what, scope, source in _bindings(plan):
        if isinstance(source, Param) and source.name not in plan.parameters:
            yield f"{what} reads the unknown parameter {source.name!r}"
        elif isinstance(source, (Output, Collect)):
            producer = plan.by_id.get(source.task)
            if producer is None:
                yield f"{what} reads from the unknown task {source.task!r}"
            elif source.name not in producer.outputs:
                yield f"{what} reads {source.name!r}, which task {source.task!r} never produces"
            elif isinstance(source, Collect) and not plan.maps_of(producer.scope):
                yield f"{what} collects from task {source.task!r}, which stands in no map"
            elif isinstance(source, Output) and producer.scope is not None and not what.startswith("gate"):
                outside = {item.id for item in plan.maps_of(producer.scope)} - {item.id for item in plan.maps_of(scope)}
                if outside:
                    yield f"{what} reads task {source.task!r} outside of the map {min(outside)!r} without collecting"
        elif isinstance(source, Item):
            if source.scope not in plan.scopes:
                yield f"{what} reads the item of the unknown map {source.scope!r}"
            elif not what.startswith("gate") and source.scope not in {item.id for item in plan.maps_of(scope)}:
                yield f"{what} reads the item of {source.scope!r} outside of it"
        elif isinstance(source, Status) and what != f"task {plan.on_exit!r}":
            yield f"{what} reads the run's status, which only the exit task can"


def order_resolves(plan: Plan) -> Iterator[str]:
    """Order-only edges name tasks that are there."""
    for task in plan.tasks:
        for other in task.after:
            if other not in plan.by_id:
                yield f"task {task.id!r} runs after the unknown task {other!r}"
    if plan.on_exit is not None and plan.on_exit not in plan.by_id:
        yield f"the exit task {plan.on_exit!r} is unknown"


def acyclic(plan: Plan) -> Iterator[str]:
    """Tasks stand in no cycle."""
    position = {task.id: number for number, task in enumerate(plan.tasks)}
    if all(position[source] < position[task.id] for task in plan.tasks for source in plan.upstream(task)):
        return
    import networkx as nx

    from crossdock.ir.graph import graph_of

    try:
        cycle = nx.find_cycle(graph_of(plan))
    except nx.NetworkXNoCycle:
        return
    yield f"a cycle: {' -> '.join([edge[0] for edge in cycle] + [cycle[0][0]])}"


def outputs_declared(plan: Plan) -> Iterator[str]:
    """Gate tasks have no data; programs read inputs that are there, and write every output."""
    for task in plan.tasks:
        if isinstance(task.code, GateCode):
            if task.outputs or task.inputs:
                yield f"gate task {task.id!r} has inputs or outputs"
        elif isinstance(task.code, Program):
            words = [word for word in (*task.code.command, *task.code.args) if isinstance(word, Word)]
            for word in words:
                if word.name not in (task.outputs if word.kind == "output_path" else task.inputs):
                    yield f"the program of task {task.id!r} names {word.name!r}, which it does not declare"
            for name in task.outputs.keys() - {word.name for word in words if word.kind == "output_path"}:
                yield f"the program of task {task.id!r} never writes {name!r}"


RULES: tuple[Callable[[Plan], Iterator[str]], ...] = (
    unique_ids,
    scopes_resolve,
    order_resolves,
    bindings_resolve,
    acyclic,
    outputs_declared,
)


def verify(plan: Plan, when: str = "") -> Plan:
    """The plan itself, when it keeps every rule.

    Args:
        plan: the plan.
        when: what was done last, for the message.

    Raises:
        PlanError: with every broken rule; a later rule is asked only when the earlier ones hold.
    """
    for rule in RULES:
        broken = list(rule(plan))
        if broken:
            raise PlanError(f"plan {plan.name!r} breaks a rule of the IR{when and ' ' + when}: {'; '.join(broken)}")
    return plan


def task_order(plan: Plan) -> tuple[Task, ...]:
    """The tasks, each after all that it waits for; call order where that leaves a choice.

    Raises:
        PlanError: there is a cycle.
    """
    import graphlib

    position = {task.id: number for number, task in enumerate(plan.tasks)}
    sorter = graphlib.TopologicalSorter({task.id: plan.upstream(task) for task in plan.tasks})
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        raise PlanError(f"a cycle: {' -> '.join(error.args[1])}") from None
    import heapq

    heap: list[int] = [position[name] for name in sorter.get_ready()]
    heapq.heapify(heap)
    ordered = []
    while heap:
        task = plan.tasks[heapq.heappop(heap)]
        ordered.append(task)
        sorter.done(task.id)
        for name in sorter.get_ready():
            heapq.heappush(heap, position[name])
    return tuple(ordered)
