"""Where a platform that goes on after a failure starts less than the plan says."""

from __future__ import annotations

from collections.abc import Iterator

from crossdock.ir import Hole, Plan
from crossdock_adapters.orchestrators._kfp_ir.layout import MapInCycle, lay_out


def holes(plan: Plan) -> Iterator[Hole]:
    """Tasks of `on_failure="continue"` that a failure would stop though they do not depend on what failed.

    A sub-DAG fails with any task in it, and what waits for it does not start.
    """
    if plan.on_failure != "continue" or not plan.scopes:
        return
    try:
        layout = lay_out(plan)
    except MapInCycle:
        return  # refused already
    plan = layout.plan
    names = {name: scope for scope, name in layout.names.scopes.items()}
    inside: dict[str, list[str]] = {}
    for task in plan.tasks:
        inside[layout.names.tasks[task.id]] = [task.id]
        for scope in plan.scopes_of(task.scope):
            inside.setdefault(layout.names.scopes[scope.id], []).append(task.id)
    before: dict[str, frozenset[str]] = {}
    for task in plan.tasks:
        upstream = plan.upstream(task)
        before[task.id] = frozenset(upstream).union(*(before[other] for other in upstream))
    told: set[tuple[str, str]] = set()
    for waits, sources in layout.edges.items():
        for source in sources:
            if waits not in names and source not in names:
                continue
            for task_id in inside[waits]:
                other = next((one for one in inside[source] if one not in before[task_id]), None)
                if other is not None and (task_id, source) not in told:
                    told.add((task_id, source))
                    yield Hole(
                        task_id,
                        f"a failure of {other!r} would keep it from starting, though it does not depend on it: a "
                        "branch or a map is one node of the graph, which fails as a whole",
                        'use on_failure="stop", or let the step depend on it: after(…)',
                    )
