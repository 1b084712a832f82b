"""Where the boxes of a picture stand: layers by the longest way to them, few crossings, edges around the boxes.

The same graph gives the same places on every machine: nothing depends on the order of a set, or on a random start.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

from crossdock.dsl.frozen import frozen

Edge: TypeAlias = tuple[str, str]
Point: TypeAlias = tuple[float, float]
_Node: TypeAlias = "str | tuple[str, str, int]"
"""A box, or the place where an edge passes a layer."""

_COMFORTABLE = 1400.0
_SWEEPS = 24
_ALONG = 64.0
_ALONG_A_CHAIN = 32.0
_ACROSS = 22.0
_ACROSS_A_LIST = 10.0


@frozen
class Layout:
    """Centres of boxes, the points that each edge goes through, and the size of it all.

    Attributes:
        down: whether edges go downwards; else to the right.
    """

    boxes: Mapping[str, Point]
    edges: Mapping[Edge, tuple[Point, ...]]
    width: float
    height: float
    down: bool


def lay_out(nodes: Sequence[str], edges: Sequence[Edge], last: str | None, box: Point) -> Layout:
    """Places for boxes of one size.

    Args:
        nodes: each once.
        edges: without a cycle.
        last: a box that stands behind all others.
        box: width and height of a box.
    """
    layer = _layers(nodes, edges, last)
    rows, neighbours, chains = _rows(nodes, edges, layer)
    _order(rows, neighbours)
    widest = max(sum(isinstance(node, str) for node in row) for row in rows)
    down = widest * (box[0] + _ACROSS) <= max(_COMFORTABLE, len(rows) * (box[0] + _ALONG))
    across, along = (box[0], box[1]) if down else (box[1], box[0])
    pitch = along + (_ALONG_A_CHAIN if down and widest < 3 else _ALONG)
    centre = _across(rows, neighbours, across, _ACROSS if down else _ACROSS_A_LIST)
    size_across = max(place + (across / 2 if isinstance(node, str) else 0) for node, place in centre.items())

    def point(node: _Node, shift: float = 0.0) -> Point:
        depth = layer[node] if isinstance(node, str) else node[2]
        main = depth * pitch + along / 2 + shift
        return (round(centre[node], 1), round(main, 1)) if down else (round(main, 1), round(centre[node], 1))

    lines = {
        edge: (point(edge[0], along / 2), *map(point, between), point(edge[1], -along / 2))
        for edge, between in chains.items()
    }
    size_along = (len(rows) - 1) * pitch + along
    width, height = (size_across, size_along) if down else (size_along, size_across)
    return Layout({node: point(node) for node in nodes}, lines, round(width, 1), round(height, 1), down)


def _layers(nodes: Sequence[str], edges: Sequence[Edge], last: str | None) -> dict[str, int]:
    before: dict[str, list[str]] = {node: [] for node in nodes}
    behind: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in edges:
        before[target].append(source)
        behind[source].append(target)
    waiting = {node: len(before[node]) for node in nodes}
    ready = [node for node in nodes if not waiting[node]]
    layer: dict[str, int] = {}
    for node in ready:
        layer[node] = max((layer[source] + 1 for source in before[node]), default=0)
        for target in behind[node]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for node in reversed(ready):
        if not before[node] and behind[node]:
            layer[node] = min(layer[target] for target in behind[node]) - 1
    if last is not None:
        layer[last] = max((depth for node, depth in layer.items() if node != last), default=-1) + 1
    return layer


def _rows(
    nodes: Sequence[str], edges: Sequence[Edge], layer: Mapping[str, int]
) -> tuple[list[list[_Node]], dict[_Node, tuple[list[_Node], list[_Node]]], dict[Edge, list[_Node]]]:
    """Layers with the places where long edges pass; of each node those before and behind; each edge's places."""
    rows: list[list[_Node]] = [[] for _ in range(max(layer.values()) + 1)]
    neighbours: dict[_Node, tuple[list[_Node], list[_Node]]] = {}
    chains: dict[Edge, list[_Node]] = {}
    for node in nodes:
        rows[layer[node]].append(node)
        neighbours[node] = ([], [])
    for source, target in edges:
        between: list[_Node] = []
        for depth in range(layer[source] + 1, layer[target]):
            between.append((source, target, depth))
            rows[depth].append(between[-1])
            neighbours[between[-1]] = ([], [])
        way: list[_Node] = [source, *between, target]
        for one, other in pairwise(way):
            neighbours[one][1].append(other)
            neighbours[other][0].append(one)
        chains[source, target] = between
    return rows, neighbours, chains


def _order(rows: list[list[_Node]], neighbours: Mapping[_Node, tuple[list[_Node], list[_Node]]]) -> None:
    """Sort each layer by where the neighbours stand, down and up in turn."""
    place = {node: float(index) for row in rows for index, node in enumerate(row)}
    for sweep in range(_SWEEPS):
        side = sweep % 2
        for row in rows if side == 0 else reversed(rows):
            wanted = {node: _mean([place[other] for other in neighbours[node][side]], place[node]) for node in row}
            row.sort(key=lambda node: (wanted[node], place[node]))
            for index, node in enumerate(row):
                place[node] = index


def _across(
    rows: list[list[_Node]], neighbours: Mapping[_Node, tuple[list[_Node], list[_Node]]], size: float, gap: float
) -> dict[_Node, float]:
    """Each node as near to its neighbours as those beside it let it."""

    def half(node: _Node) -> float:
        return size / 2 if isinstance(node, str) else 3.0

    centre: dict[_Node, float] = {}
    gaps: list[list[float]] = []
    for row in rows:
        gaps.append([half(one) + half(other) + gap for one, other in pairwise(row)])
        at = 0.0
        for node, step in zip(row, [0.0, *gaps[-1]], strict=True):
            at += step
            centre[node] = at
    for sweep in range(_SWEEPS):
        side = sweep % 2
        for index in range(len(rows)) if side == 0 else reversed(range(len(rows))):
            row = rows[index]
            wanted = [
                _mean([centre[other] for pair in _sides(neighbours[node], side, sweep) for other in pair], centre[node])
                for node in row
            ]
            centre.update(zip(row, _apart(wanted, gaps[index]), strict=True))
    left = min(place - half(node) for node, place in centre.items())
    return {node: place - left for node, place in centre.items()}


def _sides(pair: tuple[list[_Node], list[_Node]], side: int, sweep: int) -> tuple[list[_Node], ...]:
    return pair if sweep >= _SWEEPS - 2 else (pair[side],)


def _apart(wanted: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The places nearest to those wanted (least squares) that keep the order and the gaps."""
    offsets = [0.0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, many = blocks.pop()
            mean, count = (mean * count + other * many) / (count + many), count + many
        blocks.append((mean, count))
    base = [mean for mean, count in blocks for _ in range(count)]
    return [place + offset for place, offset in zip(base, offsets, strict=True)]


def _mean(places: Sequence[float], otherwise: float) -> float:
    # fsum rounds once; what sum() does with floats differs between versions of Python.
    return math.fsum(places) / len(places) if places else otherwise
