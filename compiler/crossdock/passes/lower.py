"""The passes: Plan in, Plan out, each with a name. The list below is the compiler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from crossdock.ir import Collect, Gate, GateCode, MapScope, Output, Plan, Task, operands, verify
from crossdock.ir.verify import task_order

Pass = Callable[[Plan], Plan]


def place_gates(plan: Plan) -> Plan:
    """Let each predicate be evaluated by the task that makes what it compares, else by a small task of our own."""
    gates, extra = {}, []
    for gate in plan.gates.values():
        if gate.task is not None:
            gates[gate.id] = gate
            continue
        owner = _owner(plan, gate)
        if owner is None:
            branch = plan.scopes[gate.id]
            owner = gate.id
            extra.append(Task(id=owner, step="when", code=GateCode(), scope=branch.parent))
        gates[gate.id] = replace(gate, task=owner)
    return replace(plan, gates=gates, tasks=(*plan.tasks, *extra)) if gates else plan


def _owner(plan: Plan, gate: Gate) -> str | None:
    """The one task whose outputs the predicate reads, if it stands in the same maps as the branch."""
    producers = {source.task for source in operands(gate.predicate) if isinstance(source, (Output, Collect))}
    if len(producers) != 1 or any(isinstance(source, Collect) for source in operands(gate.predicate)):
        return None
    (producer,) = producers
    branch = plan.maps_of(plan.scopes[gate.id].parent)
    own = plan.maps_of(plan.by_id[producer].scope)
    return producer if [scope.id for scope in own] == [scope.id for scope in branch] else None


def order_tasks(plan: Plan) -> Plan:
    """Put every task behind all that it waits for; call order where that leaves a choice."""
    ordered = task_order(plan)
    return plan if ordered == plan.tasks else replace(plan, tasks=ordered)


def drop_empty_scopes(plan: Plan) -> Plan:
    """Drop branches and gates that no task stands in."""
    used: set[str] = set()
    for task in plan.tasks:
        used.update(scope.id for scope in plan.scopes_of(task.scope))
    if len(used) == len(plan.scopes):
        return plan
    scopes = {name: scope for name, scope in plan.scopes.items() if name in used}
    needed = {scope.gate for scope in scopes.values() if not isinstance(scope, MapScope)}
    gates = {name: gate for name, gate in plan.gates.items() if name in needed}
    return replace(plan, scopes=scopes, gates=gates)


PASSES: tuple[tuple[str, Pass], ...] = (
    ("drop empty scopes", drop_empty_scopes),
    ("place gates", place_gates),
    ("order tasks", order_tasks),
)


def lower(plan: Plan) -> Plan:
    """The plan after all passes, verified at both ends.

    Raises:
        PlanError: a rule of the IR is broken.
    """
    verify(plan, "after tracing")
    for _, run in PASSES:
        plan = run(plan)
    return verify(plan, "after the passes")
