"""The plan as a networkx graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossdock_runtime.contract import Plan

if TYPE_CHECKING:
    import networkx as nx


def graph_of(plan: Plan) -> nx.DiGraph[str]:
    """Tasks as nodes (attribute `task`), what must be terminal first as edges; made once for each plan."""
    graph = plan.__dict__.get("_graph")
    if graph is None:
        import networkx as nx

        graph = nx.DiGraph(name=plan.name)
        for task in plan.tasks:
            graph.add_node(task.id, task=task)
        for task in plan.tasks:
            graph.add_edges_from((source, task.id) for source in plan.upstream(task))
        plan.__dict__["_graph"] = graph
    found: nx.DiGraph[str] = graph
    return found
