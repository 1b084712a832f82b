"""Which task stands in which sub-DAG, and what waits for what there.

A plan is flat; KFP has conditions and loops only as sub-DAGs. A task may depend on nothing inside of another
sub-DAG, so each dependency is lifted to the two ancestors that stand side by side. That is stricter than the
plan, and may close a circle. A branch in such a circle is *dissolved*: its tasks stand in the enclosing DAG,
start always, and our runtime, which reads the gate in any case, skips them. The same is done to a branch
around a task whose gate or list steers something outside of it: what never started has emitted nothing.
"""

from __future__ import annotations

import graphlib
from collections.abc import Iterator, Mapping

from crossdock.dsl.frozen import frozen
from crossdock.ir import BranchScope, Hole, Output, Plan, Scope, Task
from crossdock_adapters.orchestrators._kfp_ir.lists import with_lists
from crossdock_adapters.orchestrators._kfp_ir.names import Names

Chain = tuple[str, ...]


@frozen
class Emitted:
    """A text that a task writes for the platform: a gate, or the indices of a map.

    Attributes:
        task: id of the task.
        output: name of the output parameter: the gate's or the map's id.
        type: its parameter type.
        channel: name of the input parameter wherever it is read.
    """

    task: str
    output: str
    type: str
    channel: str


@frozen
class Layout:
    """The sub-DAGs of a plan.

    Attributes:
        plan: the plan with a node for each list that no task says.
        lists: the map of each such node, by the node's id.
        names: names of everything.
        home: id of a task to the scope whose sub-DAG it stands in; None is the outermost.
        children: scope (or None) to the scopes right inside of it.
        members: scope (or None) to the tasks right inside of it.
        edges: name of a node to the names of those beside it that it waits for.
        emitted: what steers a scope, by the scope's id.
        wrapped: branches that something outside waits for. KFP starts a task only after its upstream
            succeeded, and a condition that does not hold leaves a sub-DAG skipped; one around it succeeds.
    """

    plan: Plan
    lists: Mapping[str, str]
    names: Names
    home: dict[str, str | None]
    children: dict[str | None, list[Scope]]
    members: dict[str | None, list[Task]]
    edges: dict[str, dict[str, None]]
    emitted: dict[str, Emitted]
    wrapped: frozenset[str]


def lay_out(plan: Plan) -> Layout:
    """The sub-DAGs of a plan.

    Raises:
        MapInCycle: a circle is left that no dissolved branch opens.
    """
    plan, lists = with_lists(plan)
    names = Names(plan)
    dissolved: set[str] = set()
    while True:
        chains = _chains(plan, dissolved)
        hidden = set(_hidden(plan, chains))
        if hidden:
            dissolved |= hidden
            continue
        edges, outside = _edges(plan, names, chains)
        circle = _circle(edges) if plan.scopes else None
        if circle is None:
            break
        branches = {
            scope.id
            for scope in plan.scopes.values()
            if isinstance(scope, BranchScope) and names.scopes[scope.id] in circle
        }
        if not branches:
            inside = next((task.id for task in plan.tasks if _named(names, chains[task.scope]) & set(circle)), None)
            raise MapInCycle(inside, circle)
        dissolved |= branches
    home = {task.id: chains[task.scope][-1] if chains[task.scope] else None for task in plan.tasks}
    members: dict[str | None, list[Task]] = {}
    for task in plan.tasks:
        members.setdefault(home[task.id], []).append(task)
    children: dict[str | None, list[Scope]] = {}
    used = {name for chain in chains.values() for name in chain}
    for scope in plan.scopes.values():
        if scope.id in used:
            outer = chains[scope.parent]
            children.setdefault(outer[-1] if outer else None, []).append(scope)
    emitted = {
        scope.id: found for scope in plan.scopes.values() if scope.id in used and (found := _steer(plan, names, scope))
    }
    return Layout(plan, lists, names, home, children, members, edges, emitted, frozenset(outside))


class MapInCycle(Exception):
    """A map and a task outside of it wait for each other."""

    def __init__(self, task: str | None, circle: list[str]) -> None:
        super().__init__(" -> ".join(circle))
        self.task = task


def holes(plan: Plan) -> Iterator[Hole]:
    """The maps that cannot be a sub-DAG."""
    if plan.scopes:
        try:
            lay_out(plan)
        except MapInCycle as error:
            yield Hole(
                error.task,
                f"a map is one sub-DAG, which would have to wait for itself: {error}",
                "split the map in two, the second over the result of the first",
            )


def _chains(plan: Plan, dissolved: set[str]) -> dict[str | None, Chain]:
    """The sub-DAGs around each scope's content, outermost first."""
    chains: dict[str | None, Chain] = {None: ()}
    for name in plan.scopes:
        chains[name] = tuple(scope.id for scope in plan.scopes_of(name) if scope.id not in dissolved)
    return chains


def _steer(plan: Plan, names: Names, scope: Scope) -> Emitted | None:
    if isinstance(scope, BranchScope):
        task, output, kind = plan.gates[scope.gate].task, scope.gate, "STRING"
    else:
        task, output, kind = scope.items.task if isinstance(scope.items, Output) else None, scope.id, "LIST"
    return None if task is None else Emitted(task, output, kind, f"pipelinechannel--{names.tasks[task]}-{output}")


def _hidden(plan: Plan, chains: dict[str | None, Chain]) -> Iterator[str]:
    """Branches around a task that steers a scope outside of them."""
    for scope in plan.scopes.values():
        if isinstance(scope, BranchScope):
            task = plan.gates[scope.gate].task
        else:
            task = scope.items.task if isinstance(scope.items, Output) else None
        if task is None:
            continue
        around = chains[scope.parent]
        for name in chains[plan.by_id[task].scope]:
            if name not in around and isinstance(plan.scopes[name], BranchScope):
                yield name


def _edges(plan: Plan, names: Names, chains: dict[str | None, Chain]) -> tuple[dict[str, dict[str, None]], set[str]]:
    """Every dependency between two nodes of one DAG, and the branches that something waits for."""
    edges: dict[str, dict[str, None]] = {}
    outside: set[str] = set()
    tasks, scopes, by_id = names.tasks, names.scopes, plan.by_id
    for task in plan.tasks:
        mine = chains[task.scope]
        for other in plan.upstream(task):
            theirs = chains[by_id[other].scope]
            level = 0
            while level < len(mine) and level < len(theirs) and mine[level] == theirs[level]:
                level += 1
            waits = scopes[mine[level]] if level < len(mine) else tasks[task.id]
            if level < len(theirs):
                source = scopes[theirs[level]]
                if isinstance(plan.scopes[theirs[level]], BranchScope):
                    outside.add(theirs[level])
            else:
                source = tasks[other]
            edges.setdefault(waits, {})[source] = None
    return edges, outside


def _circle(edges: dict[str, dict[str, None]]) -> list[str] | None:
    try:
        graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return None


def _named(names: Names, chain: Chain) -> set[str]:
    return {names.scopes[scope] for scope in chain}
