"""The plan: it round-trips, has the same bytes in every process, never changes, and is refused in another format."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import plan_pipelines as pipelines
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossdock.dsl.errors import PlanError
from crossdock.dsl.settings import Settings
from crossdock.ir import Plan, verify
from crossdock.passes import compile_pipeline

HERE = Path(__file__).parent
SEEDS = 40


def plan_of(rng: random.Random) -> Plan:
    return compile_pipeline(pipelines.random_pipeline(rng)).plan


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_a_random_pipeline_round_trips_exactly(rng: random.Random) -> None:
    plan = plan_of(rng)
    text = plan.to_json()
    again = Plan.from_json(text)
    assert again == plan
    assert again.to_json() == text
    assert Plan.from_json(plan.to_json(indent=1)) == plan
    assert again.digest == plan.digest
    assert verify(again) is again


def test_the_random_pipelines_use_all_of_it() -> None:
    text = "".join(plan_of(random.Random(seed)).to_json() for seed in range(200))
    words = [
        '"param"', '"output"', '"item"', '"collect"', '"one_of"', '"list"', '"dict"', '"uri"', '"status"',
        '"and"', '"or"', '"not"', '"in"', '"gate":true', '"command"', '"concurrency"', '"parent"', '"expect":false',
        '"after"', '"on_exit"', '"group"', '"optional":true', '"artifact":true', '"secrets"', '"targets"', '"continue"',
        '"expires"', '"gpu_type"', '"requirements"',
    ]  # fmt: skip
    assert [word for word in words if word not in text] == []


def test_the_same_bytes_in_every_process() -> None:
    printed = set()
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, str(HERE / "plan_pipelines.py"), str(SEEDS)],
            capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        printed.add(done.stdout)
    (lines,) = printed
    assert len(set(lines.splitlines())) > SEEDS // 2


@pytest.fixture
def plan() -> Plan:
    return next(
        found
        for seed in range(1000)
        if (found := plan_of(random.Random(seed))).gates and found.on_exit and len(found.scopes) > 3
    )


def test_a_plan_does_not_change(plan: Plan) -> None:
    task = plan.tasks[0]
    for holder in (plan, task, task.settings, *plan.gates.values(), *plan.scopes.values()):
        for item in fields(holder):
            with pytest.raises((FrozenInstanceError, AttributeError)):
                setattr(holder, item.name, None)
    for mapping in (
        plan.parameters,
        plan.gates,
        plan.scopes,
        plan.outputs,
        task.inputs,
        task.outputs,
        task.settings.env,
    ):
        body: Any = mapping
        for change in (
            lambda body=body: body.update(x=1),
            lambda body=body: body.__setitem__("x", 1),
            lambda body=body: body.pop("x", None),
            lambda body=body: body.clear(),
            lambda body=body: body.setdefault("x", 1),
        ):
            with pytest.raises(TypeError, match="do not change"):
                change()
    by_id: Any = plan.by_id
    with pytest.raises(TypeError):
        by_id["x"] = task


def test_settings_do_not_follow_the_dicts_that_they_were_made_from() -> None:
    env = {"A": "1"}
    made = Settings(env=env)
    env["A"] = "2"
    env["B"] = "3"
    assert made.env == {"A": "1"}


def test_a_changed_copy_leaves_the_first_as_it_was(plan: Plan) -> None:
    text = plan.to_json()
    other = replace(plan, name="other", outputs={})
    assert (plan.to_json(), other.name) == (text, "other")
    assert other.digest != plan.digest


@pytest.mark.parametrize(
    ("found", "older"),
    [(2, "this installation is the older side"), (0, "the plan is the older side"), (None, "is the older side")],
)
def test_another_format_is_refused(plan: Plan, found: int | None, older: str) -> None:
    body = json.loads(plan.to_json())
    body["format"] = found
    with pytest.raises(
        PlanError, match=rf"the plan has format {found}, this installation reads 1: .*{older}"
    ) as caught:
        Plan.from_document(body)
    assert "the same version of crossdock" in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"format": 1}', '{"format": 1, "pipeline": "p", "tasks": 3}'])
def test_what_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(PlanError, match=r"not a plan|format None"):
        Plan.from_json(text)


def test_every_part_that_is_missing_is_noticed(plan: Plan) -> None:
    body = json.loads(plan.to_json())
    for key in ("pipeline", "tasks"):
        with pytest.raises(PlanError, match="not a plan"):
            Plan.from_document({name: item for name, item in body.items() if name != key})
    for key in ("id", "step", "code"):
        task = {name: item for name, item in body["tasks"][0].items() if name != key}
        with pytest.raises(PlanError, match="not a plan"):
            Plan.from_document({**body, "tasks": [task]})
