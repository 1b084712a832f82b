"""Random plans: whatever their scopes and edges are, every target that takes KFP's spec runs them as they are meant."""

from __future__ import annotations

import random
from typing import Any

from crossdock.ir import (
    BranchScope,
    Compare,
    Gate,
    Input,
    Item,
    Literal,
    MapScope,
    Output,
    OutputType,
    Param,
    Parameter,
    Plan,
    PythonCode,
    Task,
)
from crossdock.passes import lower

OUTPUTS = {
    "output": OutputType("int"),
    "file": OutputType("pathlib:Path", artifact=True),
}


def task_of(name: str, inputs: dict[str, Input] | None = None, **more: Any) -> Task:
    code = PythonCode("m:f", "sha256:0", "single")
    return Task(name, "f", code, inputs or {}, OUTPUTS, **more)


def random_plan(chance: random.Random) -> Plan:
    scopes: dict[str, Any] = {}
    gates: dict[str, Gate] = {}
    tasks: list[Task] = []

    def maps(scope: str | None) -> tuple[str, ...]:
        found: list[str] = []
        while scope is not None:
            if isinstance(scopes[scope], MapScope):
                found.append(scope)
            scope = scopes[scope].parent
        return tuple(reversed(found))

    def visible(scope: str | None) -> list[str]:
        """Tasks whose outputs may be read: those in no map that the reader is outside of."""
        around = maps(scope)
        return [task.id for task in tasks if maps(task.scope) == around[: len(maps(task.scope))]]

    for number in range(chance.randint(3, 14)):
        scope = chance.choice([None, *scopes])
        if chance.random() < 0.45:
            known = visible(scope)
            if chance.random() < 0.7 and known:
                name = f"when-{len(scopes)}"
                source = chance.choice(known)
                gates[name] = Gate(name, Compare("==", Output(source, "output"), Literal(1)))
                scopes[name] = BranchScope(name, name, True, scope)
                if chance.random() < 0.4:
                    scopes[f"{name}-else"] = BranchScope(f"{name}-else", name, False, scope)
                scope = name
            else:
                name = f"map-{len(scopes)}"
                items: Any = Literal([1, 2])
                if known and chance.random() < 0.5:
                    items = Output(chance.choice(known), "output")
                elif maps(scope) and chance.random() < 0.3:
                    items = Item(maps(scope)[-1])
                elif chance.random() < 0.3:
                    items = Param("xs")
                scopes[name] = MapScope(name, items, None, scope)
                scope = name
        known = visible(scope)
        inputs = {}
        for index, source in enumerate(chance.sample(known, min(len(known), chance.randint(0, 3)))):
            value = Input(Output(source, "output"), "int", optional=True)
            file = Input(Output(source, "file"), "pathlib:Path", artifact=True, optional=True)
            inputs[f"i{index}"] = chance.choice((value, file))
        anything = [task.id for task in tasks]
        after = chance.sample(anything, min(len(anything), chance.choice([0, 0, 1])))
        tasks.append(task_of(f"t{number}", inputs, after=tuple(after), scope=scope))
    return lower(
        Plan("random", tuple(tasks), gates=gates, scopes=scopes, parameters={"xs": Parameter("xs", "list[int]")})
    )
