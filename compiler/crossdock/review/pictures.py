"""The DAG of a plan: as SVG, as Mermaid, as a tree of text. The same plan gives the same bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from itertools import pairwise

from crossdock.dsl.frozen import frozen
from crossdock.ir import BranchScope, Collect, MapScope, Output, Plan, Program, Scope, Task, leaves
from crossdock.review import words
from crossdock.review.layout import Edge, Layout, Point, lay_out

_CHARACTER = 6.7
"""Width of a character of 12 pixels, on the safe side for every sans-serif font."""
_LONGEST_LABEL = 34
_LEAST_BOX = 120.0
_BOX_HEIGHT = 40.0
_MARGIN = 24.0
_HEAD = 34.0
_FOOT = 30.0

_STYLE = """
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;font-size:12px;fill:#1f2933}
.title{font-size:15px;font-weight:600}.small{font-size:10px;fill:#52606d}
.box{fill:#fff;stroke:#486581;stroke-width:1.2}.behind{fill:#f0f4f8;stroke:#829ab1}
.branch .box{stroke:#b44d12;stroke-dasharray:5 3}.program .box{fill:#eef7ee;stroke:#2f7d4f}
.exit .box{fill:#f4f0fa;stroke:#6b46a5}.edge{fill:none;stroke:#829ab1;stroke-width:1.2}.order{stroke-dasharray:3 3}
"""


@frozen
class Edges:
    """What goes between tasks: data, and what is only an order (also: a condition's or a map's values)."""

    data: tuple[Edge, ...]
    order: tuple[Edge, ...]


def edges_of(plan: Plan) -> Edges:
    """The edges to draw. An order that others imply already is left out."""
    data: list[Edge] = []
    order: list[Edge] = []
    for task in plan.tasks:
        sources = [*task.sources(), *(leaf for scope in plan.maps_of(task.scope) for leaf in leaves(scope.items))]
        direct = {source.task for source in sources if isinstance(source, (Output, Collect))}
        for source in plan.upstream(task):
            (data if source in direct else order).append((source, task.id))
    number = {task.id: index for index, task in enumerate(plan.tasks)}
    above = _above(plan, [*data, *order], number)
    before: dict[str, list[str]] = {}
    for source, target in (*data, *order):
        before.setdefault(target, []).append(source)

    def is_implied(edge: Edge) -> bool:
        source, target = edge
        return any(above[other] >> number[source] & 1 for other in before[target] if other != source)

    return Edges(tuple(data), tuple(edge for edge in order if not is_implied(edge)))


def _above(plan: Plan, edges: list[Edge], number: dict[str, int]) -> dict[str, int]:
    """Of each task those before it, as bits."""
    before: dict[str, list[str]] = {task.id: [] for task in plan.tasks}
    for source, target in edges:
        before[target].append(source)
    found: dict[str, int] = {}
    for task in plan.tasks:
        stack = [task.id]
        while stack:
            node = stack[-1]
            waiting = [other for other in before[node] if other not in found]
            if waiting:
                stack.extend(waiting)
                continue
            bits = 0
            for other in before[node]:
                bits |= found[other] | 1 << number[other]
            found[node] = bits
            stack.pop()
    return found


# SVG


def svg(plan: Plan) -> str:
    """The picture as a file that stands alone: no font, script or address outside of it."""
    edges = edges_of(plan)
    labels = {task.id: _labels(task) for task in plan.tasks}
    longest = max(len(line) for lines in labels.values() for line in lines)
    box = (max(_LEAST_BOX, round(longest * _CHARACTER + 20)), _BOX_HEIGHT)
    layout = lay_out([task.id for task in plan.tasks], (*edges.data, *edges.order), plan.on_exit, box)
    legend = list(_legend(plan, edges))
    head = f"{plan.name}: {len(plan.tasks)} {'task' if len(plan.tasks) == 1 else 'tasks'}"
    foot = math.fsum(_CHARACTER * len(text) + 44 for _, text in legend)
    width = max(layout.width, len(head) * 9.0, foot) + 2 * _MARGIN
    height = layout.height + 2 * _MARGIN + _HEAD + (_FOOT if legend else 0)
    left, top = (width - layout.width) / 2, _MARGIN + _HEAD
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img">',
        f"<title>{escape(head)}</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#829ab1"/></marker></defs>',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text class="title" x="{_MARGIN:.0f}" y="{_MARGIN + 8:.0f}">{escape(head)}</text>',
        f'<g transform="translate({left:.1f} {top:.1f})">',
    ]
    lines += [_edge(layout, edge, "edge") for edge in edges.data]
    lines += [_edge(layout, edge, "edge order") for edge in edges.order]
    for task in plan.tasks:
        lines += _box(plan, task, labels[task.id], layout.boxes[task.id], box)
    lines.append("</g>")
    at = _MARGIN
    for kind, text in legend:
        lines += _sample(kind, text, at, height - _MARGIN + 4)
        at += _CHARACTER * len(text) + 44
    return "\n".join([*lines, "</svg>"]) + "\n"


def _labels(task: Task) -> list[str]:
    asked = words.resources_text(task.settings.resources).replace(" memory", "")
    return [words.shortened(task.id, _LONGEST_LABEL), *([words.shortened(asked, _LONGEST_LABEL)] if asked else [])]


def _classes(plan: Plan, task: Task) -> str:
    found = ["task"]
    if words.is_conditional(plan, task):
        found.append("branch")
    if isinstance(task.code, Program):
        found.append("program")
    if task.id == plan.on_exit:
        found.append("exit")
    return " ".join(found)


def _box(plan: Plan, task: Task, labels: list[str], centre: Point, box: Point) -> Iterator[str]:
    x, y = centre[0] - box[0] / 2, centre[1] - box[1] / 2
    scopes = [words.scope_text(plan, scope) for scope in plan.scopes_of(task.scope)]
    about = "\n".join([task.id, words.code_text(task.code), *scopes])
    yield f'<g class="{_classes(plan, task)}"><title>{escape(about)}</title>'
    size = f'width="{box[0]:.1f}" height="{box[1]:.1f}" rx="5"'
    if words.is_mapped(plan, task):
        yield f'<rect class="behind" x="{x + 4:.1f}" y="{y + 4:.1f}" {size}/>'
    yield f'<rect class="box" x="{x:.1f}" y="{y:.1f}" {size}/>'
    first = centre[1] + (4 if len(labels) == 1 else -3)
    yield f'<text x="{centre[0]:.1f}" y="{first:.1f}" text-anchor="middle">{escape(labels[0])}</text>'
    if len(labels) > 1:
        second = escape(labels[1])
        yield f'<text class="small" x="{centre[0]:.1f}" y="{first + 14:.1f}" text-anchor="middle">{second}</text>'
    yield "</g>"


def _edge(layout: Layout, edge: Edge, kind: str) -> str:
    points = layout.edges[edge]
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        if layout.down:
            middle = (y + to_y) / 2
            path.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
        else:
            middle = (x + to_x) / 2
            path.append(f"C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}")
    return f'<path class="{kind}" marker-end="url(#tip)" d="{"".join(path)}"/>'


def _legend(plan: Plan, edges: Edges) -> Iterator[tuple[str, str]]:
    if any(words.is_mapped(plan, task) for task in plan.tasks):
        yield "map", "once for each item of a list"
    if any(words.is_conditional(plan, task) for task in plan.tasks):
        yield "branch", "on a condition"
    if any(isinstance(task.code, Program) for task in plan.tasks):
        yield "program", "container step"
    if plan.on_exit is not None:
        yield "exit", "at the end in any case"
    if edges.order:
        yield "order", "order without data"


def _sample(kind: str, text: str, x: float, y: float) -> Iterator[str]:
    if kind == "order":
        yield f'<path class="edge order" d="M{x:.1f} {y - 4:.1f}h20"/>'
    else:
        if kind == "map":
            yield f'<rect class="behind" x="{x + 3:.1f}" y="{y - 7:.1f}" width="18" height="10" rx="2"/>'
        yield f'<g class="{kind}"><rect class="box" x="{x:.1f}" y="{y - 10:.1f}" width="18" height="10" rx="2"/></g>'
    yield f'<text class="small" x="{x + 27:.1f}" y="{y:.1f}">{escape(text)}</text>'


# Mermaid


def mermaid(plan: Plan) -> str:
    """The picture as Mermaid, which GitHub, GitLab and most editors draw."""
    names = {task.id: f"t{index}" for index, task in enumerate(plan.tasks, 1)}
    lines = ["flowchart TD"]
    for depth, item in _nested(plan):
        pad = "  " * (depth + 1)
        if item is None:
            lines.append(f"{pad}end")
        elif isinstance(item, Task):
            lines.append(f"{pad}{names[item.id]}{_mermaid_shape(plan, item)}")
        else:
            title = words.shortened(words.scope_text(plan, item), 70)
            lines.append(f"{pad}subgraph s_{item.id.replace('-', '_')}[{_mermaid_text(title)}]")
    edges = edges_of(plan)
    lines += [f"  {names[source]} --> {names[target]}" for source, target in edges.data]
    lines += [f"  {names[source]} -.-> {names[target]}" for source, target in edges.order]
    return "\n".join(lines) + "\n"


def _mermaid_shape(plan: Plan, task: Task) -> str:
    text = _mermaid_text(task.id)
    if task.id == plan.on_exit:
        return f"([{text}])"
    return f"[[{text}]]" if isinstance(task.code, Program) else f"[{text}]"


def _mermaid_text(text: str) -> str:
    cleaned = "".join(f"#{ord(character)};" if character in '"#<>&`[]{}|' else character for character in text)
    return f'"{cleaned}"'


# Tree


def tree(plan: Plan) -> str:
    """Tasks in their order, those of a branch or map below it, each with what it reads."""
    lines = [f"{plan.name}: {len(plan.tasks)} {'task' if len(plan.tasks) == 1 else 'tasks'}"]
    lines += [f"parameter {words.parameter_text(item)}" for item in plan.parameters.values()]
    items = list(_nested(plan))
    for index, (depth, item) in enumerate(items):
        if item is None:
            continue
        guides = "".join("│  " if _goes_on(items, index, level) else "   " for level in range(depth))
        corner = "├─" if _goes_on(items, index, depth) else "└─"
        lines.append(f"{guides}{corner} {_line(plan, item)}")
    for name, output in plan.outputs.items():
        lines.append(f"output {name}: {words.binding_text(output.binding)}")
    return "\n".join(lines) + "\n"


def _line(plan: Plan, item: Task | Scope) -> str:
    if not isinstance(item, Task):
        return words.scope_text(plan, item)
    reads = [f"{name}: {words.binding_text(given.binding)}" for name, given in item.inputs.items()]
    if item.after:
        reads.append(f"after {', '.join(item.after)}")
    at_end = "  at the end in any case" if item.id == plan.on_exit else ""
    return f"{item.id}{at_end}" + (f"  ({'; '.join(reads)})" if reads else "")


def _goes_on(items: list[tuple[int, Task | Scope | None]], index: int, level: int) -> bool:
    """Whether something follows at a level before it is left."""
    for depth, item in items[index + 1 :]:
        if item is None:
            continue
        if depth < level:
            return False
        if depth == level:
            return True
    return False


def _nested(plan: Plan) -> Iterator[tuple[int, Task | Scope | None]]:
    """Depth and task or scope, each scope where its first task stands; None closes it. The exit task comes last."""
    inside: dict[str | None, list[Task | Scope]] = {None: []}
    for task in sorted(plan.tasks, key=lambda task: task.id == plan.on_exit):
        for scope in plan.scopes_of(task.scope):
            if scope.id not in inside:
                inside[scope.id] = []
                inside[scope.parent].append(scope)
        inside[task.scope].append(task)

    def walk(parent: str | None, depth: int) -> Iterator[tuple[int, Task | Scope | None]]:
        for item in inside[parent]:
            yield depth, item
            if isinstance(item, (BranchScope, MapScope)):
                yield from walk(item.id, depth + 1)
                yield depth, None

    return walk(None, 0)
