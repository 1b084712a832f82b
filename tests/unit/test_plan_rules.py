"""Each rule of the IR, broken by a plan that is made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from crossdock.dsl.errors import PlanError
from crossdock.ir import (
    BranchScope,
    Collect,
    Compare,
    Gate,
    GateCode,
    Input,
    Item,
    ListOf,
    Literal,
    MapScope,
    OneOf,
    Output,
    OutputType,
    Param,
    Parameter,
    Plan,
    Program,
    PythonCode,
    Status,
    Task,
    Word,
    verify,
)
from crossdock.ir.verify import RULES, task_order

CODE = PythonCode("m:f", "sha256:0", "single")
OUT = {"output": OutputType("int")}


def task(name: str, *bindings: Any, **changes: Any) -> Task:
    inputs = {f"x{number}": Input(binding, "int") for number, binding in enumerate(bindings)}
    return replace(Task(name, "f", CODE, inputs, OUT), **changes)


def good() -> Plan:
    """One of everything, and nothing wrong."""
    return Plan(
        "p",
        (
            task("a", Param("n")),
            task("b", Output("a", "output"), scope="when-1"),
            task("c", Item("map-1"), scope="map-1"),
            task("d", Output("c", "output"), Item("map-1"), scope="map-1", after=("a",)),
            task("e", Collect("d", "output"), OneOf((Output("a", "output"), ListOf((Output("b", "output"),))))),
            Task("g", "when", GateCode()),
            Task(
                "h",
                "prog",
                Program(("cp", Word("input_path", "file")), (Word("output_path", "out"),)),
                {"file": Input(Literal(1), "int")},
                {"out": OutputType("int")},
                scope="when-2",
            ),
            task("bye", Status()),
        ),
        {"n": Parameter("n", "int")},
        {
            "when-1": Gate("when-1", Compare(">", Output("a", "output"), Literal(3)), "a"),
            "when-2": Gate("when-2", Compare("==", Param("n"), Literal(3)), "g"),
        },
        {
            "when-1": BranchScope("when-1", "when-1", True),
            "when-2": BranchScope("when-2", "when-2", False, "when-1"),
            "map-1": MapScope("map-1", Literal([1, 2])),
        },
        {"last": Input(Output("e", "output"), "int")},
        "bye",
    )


def test_a_plan_that_keeps_every_rule_is_returned() -> None:
    plan = good()
    assert verify(plan) is plan


def with_task(plan: Plan, name: str, **changes: Any) -> Plan:
    return replace(plan, tasks=tuple(replace(item, **changes) if item.id == name else item for item in plan.tasks))


def reads(plan: Plan, name: str, binding: Any) -> Plan:
    return with_task(plan, name, inputs={"x": Input(binding, "int")})


def with_scope(plan: Plan, scope: Any) -> Plan:
    return replace(plan, scopes={**plan.scopes, scope.id: scope})


def with_gate(plan: Plan, gate: Gate) -> Plan:
    return replace(plan, gates={**plan.gates, gate.id: gate})


BROKEN: list[tuple[str, Callable[[Plan], Plan], str]] = [
    ("unique_ids", lambda p: with_task(p, "e", id="a"), "two tasks are named 'a'"),
    ("unique_ids", lambda p: replace(p, tasks=(*p.tasks, task("1a"))), "'1a' fits no label"),
    ("unique_ids", lambda p: replace(p, tasks=(*p.tasks, task("x" * 64))), "fits no label"),
    ("unique_ids", lambda p: replace(p, tasks=(*p.tasks, task("ü"))), "fits no label"),
    ("scopes_resolve", lambda p: with_task(p, "e", scope="map-9"), "task 'e' stands in the unknown scope 'map-9'"),
    (
        "scopes_resolve",
        lambda p: with_scope(p, MapScope("m", Literal([]), None, "x")),
        "'m' stands in 'x', which is unknown",
    ),
    (
        "scopes_resolve",
        lambda p: with_scope(p, MapScope("m", Literal([]), None, "m")),
        "'m' stands in 'm', which is itself",
    ),
    (
        "scopes_resolve",
        lambda p: with_scope(p, BranchScope("w", "w", True)),
        "branch 'w' waits for the unknown gate 'w'",
    ),
    (
        "scopes_resolve",
        lambda p: with_gate(p, replace(p.gates["when-1"], task="z")),
        "evaluated by the unknown task 'z'",
    ),
    ("order_resolves", lambda p: with_task(p, "e", after=("z",)), "task 'e' runs after the unknown task 'z'"),
    ("order_resolves", lambda p: replace(p, on_exit="z"), "the exit task 'z' is unknown"),
    ("bindings_resolve", lambda p: reads(p, "e", Param("z")), "task 'e' reads the unknown parameter 'z'"),
    ("bindings_resolve", lambda p: reads(p, "e", Output("z", "output")), "task 'e' reads from the unknown task 'z'"),
    ("bindings_resolve", lambda p: reads(p, "e", Output("a", "z")), "reads 'z', which task 'a' never produces"),
    ("bindings_resolve", lambda p: reads(p, "e", OneOf((Output("a", "z"), Literal(1)))), "reads 'z', which"),
    ("bindings_resolve", lambda p: reads(p, "e", Collect("a", "output")), "'a', which stands in no map"),
    ("bindings_resolve", lambda p: reads(p, "e", Collect("b", "output")), "'b', which stands in no map"),
    (
        "bindings_resolve",
        lambda p: reads(p, "e", Output("c", "output")),
        "outside of the map 'map-1' without collecting",
    ),
    ("bindings_resolve", lambda p: reads(p, "e", Item("map-1")), "reads the item of 'map-1' outside of it"),
    ("bindings_resolve", lambda p: reads(p, "e", Item("map-9")), "reads the item of the unknown map 'map-9'"),
    ("bindings_resolve", lambda p: reads(p, "e", Status()), "reads the run's status, which only the exit task can"),
    (
        "bindings_resolve",
        lambda p: with_scope(p, replace(p.scopes["map-1"], items=Output("z", "output"))),
        "map 'map-1' reads from the unknown task 'z'",
    ),
    (
        "bindings_resolve",
        lambda p: with_gate(p, Gate("when-1", Compare(">", Param("z"), Literal(3)), "a")),
        "gate 'when-1' reads the unknown parameter 'z'",
    ),
    (
        "bindings_resolve",
        lambda p: replace(p, outputs={"last": Input(Output("z", "output"), "int")}),
        "pipeline output 'last' reads from the unknown task 'z'",
    ),
    ("acyclic", lambda p: reads(p, "a", Output("e", "output")), "a cycle: "),
    ("acyclic", lambda p: with_task(p, "a", after=("b",)), "a cycle: "),
    (
        "acyclic",
        lambda p: with_gate(p, Gate("when-1", Compare(">", Output("b", "output"), Literal(3)), "a")),
        "a cycle: ",
    ),
    ("outputs_declared", lambda p: with_task(p, "g", outputs=OUT), "gate task 'g' has inputs or outputs"),
    ("outputs_declared", lambda p: with_task(p, "h", inputs={}), "names 'file', which it does not declare"),
    (
        "outputs_declared",
        lambda p: with_task(p, "h", outputs={**OUT, "out": OutputType("int")}),
        "never writes 'output'",
    ),
]


@pytest.mark.parametrize(("rule", "change", "message"), BROKEN, ids=[f"{rule}-{text}" for rule, _, text in BROKEN])
def test_a_broken_rule_is_named(rule: str, change: Callable[[Plan], Plan], message: str) -> None:
    plan = change(good())
    (found,) = [item for item in RULES if item.__name__ == rule]
    earlier = RULES[: RULES.index(found)]
    assert [list(item(plan)) for item in earlier] == [[] for _ in earlier]
    assert any(message in text for text in found(plan))
    with pytest.raises(PlanError) as caught:
        verify(plan, "after tracing")
    assert message in str(caught.value)
    assert "plan 'p' breaks a rule of the IR after tracing" in str(caught.value)


def test_every_rule_is_broken_once() -> None:
    assert {rule for rule, _, _ in BROKEN} == {rule.__name__ for rule in RULES}


def test_all_that_breaks_one_rule_is_said_at_once() -> None:
    plan = reads(reads(good(), "e", Param("z")), "d", Output("y", "output"))
    with pytest.raises(PlanError, match="unknown parameter 'z'") as caught:
        verify(plan)
    assert "unknown task 'y'" in str(caught.value)


def test_order_is_call_order_where_that_leaves_a_choice() -> None:
    plan = Plan("p", (task("c", Output("b", "output")), task("a"), task("b"), task("d", after=("a",))))
    assert [item.id for item in task_order(plan)] == ["a", "b", "c", "d"]
    with pytest.raises(PlanError, match="a cycle: "):
        task_order(Plan("p", (task("a", after=("b",)), task("b", after=("a",)))))
