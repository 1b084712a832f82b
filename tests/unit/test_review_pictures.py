"""The DAG as text and as a picture: what is in it, that nothing lies on anything else, and the same bytes each time."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest
from running import Project

from crossdock.passes.load import load
from crossdock.review import pictures
from crossdock.review.layout import Layout, lay_out

ROOT = Path(__file__).resolve().parents[2]
CONTROL_FLOW = str(ROOT / "examples/control_flow/pipeline.py")
BOX = (140.0, 40.0)
SVG = "{http://www.w3.org/2000/svg}"


def graph(shape: str, tasks: int) -> tuple[list[str], list[tuple[str, str]]]:
    names = [f"t{number}" for number in range(tasks)]
    if shape == "chain":
        return names, list(pairwise(names))
    if shape == "fan":
        middle = names[1:-1]
        return names, [(names[0], name) for name in middle] + [(name, names[-1]) for name in middle]
    if shape == "apart":
        return names, []
    rng = random.Random(tasks)
    edges = {
        (rng.choice(names[max(0, number - 20) : number]), names[number]) for number in range(1, tasks) for _ in "ab"
    }
    return names, sorted(edges)


def overlap(layout: Layout) -> list[tuple[str, str]]:
    boxes = sorted(layout.boxes.items())
    return [
        (one, other)
        for index, (one, (x, y)) in enumerate(boxes)
        for other, (x2, y2) in boxes[index + 1 :]
        if abs(x - x2) < BOX[0] + 4 and abs(y - y2) < BOX[1] + 4
    ]


@pytest.mark.parametrize("tasks", [2, 5, 40, 200])
@pytest.mark.parametrize("shape", ["chain", "fan", "tangle", "apart"])
def test_boxes_stand_apart_and_edges_go_one_way(shape: str, tasks: int) -> None:
    names, edges = graph(shape, tasks)
    layout = lay_out(names, edges, None, BOX)
    assert overlap(layout) == []
    axis = 1 if layout.down else 0
    for points in layout.edges.values():
        assert all(one[axis] < other[axis] for one, other in pairwise(points))
    for x, y in layout.boxes.values():
        assert BOX[0] / 2 - 0.1 <= x <= layout.width - BOX[0] / 2 + 0.1
        assert BOX[1] / 2 - 0.1 <= y <= layout.height - BOX[1] / 2 + 0.1


@pytest.mark.parametrize("shape", ["chain", "fan", "tangle"])
def test_edges_go_around_boxes(shape: str) -> None:
    """The points that an edge is drawn through lie in no box but at its two ends."""
    names, edges = graph(shape, 60)
    layout = lay_out(names, edges, None, BOX)
    for points in layout.edges.values():
        for x, y in points[1:-1]:
            inside = [
                n for n, (x2, y2) in layout.boxes.items() if abs(x - x2) < BOX[0] / 2 and abs(y - y2) < BOX[1] / 2
            ]
            assert inside == []


def test_the_exit_task_stands_behind_all_others() -> None:
    layout = lay_out(["exit", "a", "b"], [("a", "b")], "exit", BOX)
    assert layout.boxes["exit"][1] > layout.boxes["b"][1]


def test_a_picture_is_xml_with_every_task_and_nothing_from_elsewhere() -> None:
    plan = load(CONTROL_FLOW).plan
    text = pictures.svg(plan)
    root = ET.fromstring(text)
    shown = {item.text for item in root.iter(f"{SVG}text")}
    assert set(plan.by_id) <= shown
    assert {"once for each item of a list", "on a condition", "at the end in any case", "order without data"} <= shown
    assert re.findall(r"https?://[^\"']*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<script|<image|@import|@font-face|href=", text)
    titles = [item.text for item in root.iter(f"{SVG}title")]
    assert any("when take-stock.units >= enough" in (title or "") for title in titles)


def test_an_implied_order_is_not_drawn() -> None:
    plan = load(CONTROL_FLOW).plan
    edges = pictures.edges_of(plan)
    assert ("list-shops", "count-units") in edges.data
    assert ("open-the-books", "list-shops") in edges.order
    assert ("take-stock", "buy-nothing") in edges.data


TREE = """\
control-flow: 11 tasks
parameter region: examples.control_flow.pipeline.Region = Region.NORTH
parameter shops: int = 3
parameter enough: int = 500
parameter audit: bool = False
parameter day: datetime.date = 2013-12-31
├─ open-the-books  (day: parameter day)
├─ list-shops  (region: parameter region; shops: parameter shops; after open-the-books)
├─ for each of ['bread', 'fruit', 'tea']
│  └─ price-of  (aisle: item of map-1)
├─ for each of list-shops, 2 at once
│  └─ for each of ['bread', 'fruit', 'tea']
│     └─ count-units  (shop: item of map-2; aisle: item of map-3)
├─ add-up  (units: list of count-units)
├─ take-stock  (units: add-up)
├─ when take-stock.units >= enough
│  └─ buy-nothing  (stock: take-stock)
├─ when not (take-stock.units >= enough)
│  └─ buy-more  (stock: take-stock; enough: parameter enough; prices: list of price-of)
├─ when audit == True or take-stock.shops > 4
│  └─ check-by-hand  (stock: take-stock)
├─ write-letter  (decision: buy-nothing or buy-more; remark: check-by-hand)
└─ close-the-books  at the end in any case  (status: how the run ended; day: parameter day)
output stock: take-stock
output letter: write-letter
"""


def test_the_tree_of_the_example() -> None:
    assert pictures.tree(load(CONTROL_FLOW).plan) == TREE


def test_mermaid_has_a_node_a_task_and_closes_what_it_opens() -> None:
    plan = load(CONTROL_FLOW).plan
    text = pictures.mermaid(plan)
    assert text.count("subgraph ") == len(re.findall(r"^ *end$", text, re.MULTILINE)) == len(plan.scopes)
    for task in plan.by_id:
        assert f'"{task}"' in text
    nodes = set(re.findall(r"^ *(t\d+)[\[(]", text, re.MULTILINE))
    assert set(re.findall(r"\bt\d+\b(?= -|$)", text)) <= nodes
    labels = re.findall(r'"(.*?)"', text)
    assert not [label for label in labels if set(label.replace("#", "").replace(";", "")) & set('"<>[]{}|')]


def test_names_that_are_markup_stay_text(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.write("""
        from crossdock import map, pipeline, step

        @step
        def show(text: str) -> str:
            return text

        @pipeline
        def marked() -> None:
            map(show, ["</title><script>alert(1)</script>", '"]; click x "y"', "| a | b |"])
    """)
    plan = load(str(project.folder / "pipe.py")).plan
    assert "<script" not in pictures.svg(plan)
    ET.fromstring(pictures.svg(plan))
    assert "<script" not in pictures.mermaid(plan)
    done = project.crossdock("export", "pipe.py", "-o", "review")
    assert done.code == 0, str(done)
    report = (project.folder / "review/REVIEW.md").read_text(encoding="utf-8")
    assert "<script" not in report


def test_show_writes_what_the_file_asks_for(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert project.crossdock("show", CONTROL_FLOW).out == TREE
    for words, start in (
        (("-o", "a.svg"), "<svg "), (("-o", "a.mmd"), "flowchart"), (("-o", "a.txt"), "control-flow: 11"),
        (("-o", "b.svg", "--format", "mermaid"), "flowchart"),
    ):  # fmt: skip
        done = project.crossdock("show", CONTROL_FLOW, *words)
        assert (done.code, done.out.strip()) == (0, words[1])
        assert (project.folder / words[1]).read_text(encoding="utf-8").startswith(start)
    assert project.crossdock("show", CONTROL_FLOW, "--format", "png").code == 2
