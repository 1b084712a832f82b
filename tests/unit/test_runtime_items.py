"""`python -m crossdock_runtime --items MAP`: the item numbers of a map whose list no task says."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from running import Done, Project

SOURCE = """
    from crossdock import map, pipeline, step


    @step
    def rows(number: int) -> list[int]:
        return list(range(number))


    @step
    def double(x: int) -> int:
        return 2 * x


    @step
    def table() -> list[list[int]]:
        return [[1, 2, 3], []]


    @pipeline
    def main(xs: list[int]) -> None:
        map(double, map(double, xs))
        map(lambda row: map(double, row), table())
"""
PUBLISH = """
from crossdock import Client
client = Client()
plan = client.load("pipe.py").plan
client.store.create(f"plans/{plan.digest}.json", plan.to_json().encode())
print(plan.digest)
"""
XS = "xs=[5,6]"


class Command:
    """The command, for one run of the published plan."""

    def __init__(self, folder: Path) -> None:
        self.project = Project(folder)
        self.project.write(SOURCE)
        done = self.project.command(sys.executable, "-c", PUBLISH)
        assert done.code == 0, str(done)
        self.plan = f"{self.project.store_path}/plans/{done.out.strip()}.json"
        self.place = folder / "told"

    def __call__(self, *words: str) -> Done:
        known = ["--contract", "1", "--plan", self.plan, "--run", "r1234567-items"]
        return self.project.command(sys.executable, "-m", "crossdock_runtime", *known, *words)

    def items(self, scope: str, *words: str) -> list[str]:
        done = self("--items", scope, "--emit", f"{scope}={self.place}", *words)
        assert done.code == 0, str(done)
        found: list[str] = json.loads(self.place.read_text())
        return found


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


def test_a_parameter(command: Command) -> None:
    assert command.items("map-1", "--param", XS) == ["0", "1"]
    assert command.items("map-1", "--param", "xs=[]") == []


def test_a_map_s_results(command: Command) -> None:
    for index in "01":
        assert command("--task", "double", "--index", index, "--param", XS).code == 0
    assert command.items("map-2", "--param", XS) == ["0", "1"]


def test_a_part_of_an_outer_item(command: Command) -> None:
    assert command("--task", "table").code == 0
    assert command.items("map-4", "--index", "0") == ["0", "1", "2"]
    assert command.items("map-4", "--index", "1") == []


def test_what_cannot_be_told(command: Command) -> None:
    done = command("--items", "map-2", "--emit", f"map-2={command.place}", "--param", XS)
    assert done.code not in (0, 1), str(done)
    assert "Traceback" not in done.err
    assert not command.place.exists()
    done = command("--items", "map-9", "--emit", f"map-9={command.place}")
    assert done.code == 20
    assert "the plan has no map 'map-9'" in done.err
