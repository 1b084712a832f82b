"""What KFP's nodes tell of our tasks, and which schedules it takes."""

from __future__ import annotations

from typing import Any

import kfp_pipelines
import pytest
from pydantic import ValidationError

from crossdock.dsl.errors import BadInput
from crossdock.ir import Plan
from crossdock.passes import compile_pipeline
from crossdock.stacks import NativeTask
from crossdock_adapters.orchestrators.kubeflow.config import KubeflowConfig
from crossdock_adapters.orchestrators.kubeflow.native import kind_of, tasks_of
from crossdock_adapters.orchestrators.kubeflow.schedules import six_fields


def node(number: int, name: str, state: str, *children: int, message: str = "") -> dict[str, Any]:
    """A node as the API server shows it; its pod has another name than its node, and the same number."""
    found: dict[str, Any] = {
        "display_name": name,
        "state": state,
        "pod_name": f"run-template-{number}",
        "child_tasks": [{"pod_name": f"run-{child}"} for child in children],
    }
    if message:
        found["state_history"] = [{"state": state, "error": {"code": 13, "message": message}}]
    return found


def plan() -> Plan:
    return compile_pipeline(kfp_pipelines.dynamic_map).plan


LOOP = [
    node(1, "root", "RUNNING", 2),
    node(2, "numbers-driver", "SUCCEEDED", 3),
    node(3, "numbers", "SUCCEEDED", 4),
    node(4, "executor", "SUCCEEDED", 5, 6, 7),
    node(5, "executor(0)", "FAILED", message="OOMKilled (exit code 137)"),
    node(6, "executor(1)", "SUCCEEDED"),
    node(7, "for-loop-map-1", "RUNNING", 8),
    node(8, "iteration-driver", "SUCCEEDED", 9),
    node(9, "iteration-iterations", "RUNNING", 10, 20),
    node(10, "iteration-iterations(0:0)", "SUCCEEDED", 11),
    node(11, "iteration-item-driver", "SUCCEEDED", 12),
    node(12, "iteration-item", "SUCCEEDED", 13),
    node(13, "inc-driver", "SUCCEEDED", 14),
    node(14, "inc", "SUCCEEDED", 15),
    node(15, "executor", "SUCCEEDED", 30),
    node(20, "iteration-iterations(1:1)", "FAILED", 21),
    node(21, "iteration-item-driver", "SUCCEEDED", 22),
    node(22, "iteration-item", "FAILED", 23),
    node(23, "inc-driver", "SUCCEEDED", 24),
    node(24, "inc", "FAILED", 25),
    node(25, "executor", "FAILED", 30, message="Back-off pulling image: ImagePullBackOff"),
    node(30, "total-driver", "PENDING", 31),
    node(31, "total", "PENDING"),
]


def test_the_nodes_of_a_loop() -> None:
    found = tasks_of(plan(), LOOP)
    assert found.states == {
        "numbers": NativeTask("succeeded"),
        "inc.0": NativeTask("succeeded"),
        "inc.1": NativeTask("failed", "import error", "Back-off pulling image: ImagePullBackOff"),
        "total": NativeTask("pending"),
    }
    assert found.pods == {
        "numbers": ["run-template-5", "run-template-6"],
        "inc.0": ["run-template-15"],
        "inc.1": ["run-template-25"],
    }


def test_a_task_whose_driver_failed() -> None:
    found = tasks_of(plan(), [node(1, "root", "FAILED", 2), node(2, "numbers-driver", "FAILED", message="no such pvc")])
    assert found.states == {"numbers": NativeTask("failed", "", "no such pvc")}


def test_a_loop_of_a_thousand_items_is_read_in_no_time() -> None:
    nodes = [
        node(1, "for-loop-map-1", "SUCCEEDED", 2),
        node(2, "iteration-iterations", "SUCCEEDED", *range(1000, 2000)),
    ]
    for index in range(1000):
        nodes.append(node(1000 + index, f"iteration-iterations({index}:{index})", "SUCCEEDED", 3000 + index))
        nodes.append(node(3000 + index, "inc", "SUCCEEDED", 5000 + index))
        nodes.append(node(5000 + index, "executor", "SUCCEEDED", 30))
    nodes += [
        node(30, "total-driver", "SUCCEEDED", 31),
        node(31, "total", "SUCCEEDED", 32),
        node(32, "executor", "SUCCEEDED"),
    ]
    found = tasks_of(plan(), nodes)
    assert len(found.states) == 1001
    assert found.pods["total"] == ["run-template-32"]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('Failed to pull image "a/b:c": not found', "import error"),
        ("OOMKilled (exit code 137)", "out of memory"),
        ("Pod was active on the node longer than the specified deadline", "timeout"),
        ("The node was low on resource: memory.", "terminated"),
        ("Error (exit code 10)", ""),
    ],
)
def test_what_messages_tell(message: str, kind: str) -> None:
    assert kind_of(message) == kind


@pytest.mark.parametrize("cron", ["0 3 * * *", "*/5 8-18 * * mon-fri", "0,30 0 1 JAN,jul 0", "5/10 * * * *"])
def test_schedules_that_kfp_takes(cron: str) -> None:
    assert six_fields(cron) == f"0 {cron}"


@pytest.mark.parametrize(
    ("cron", "why"),
    [
        ("0 0 3 * * *", "has 6 fields"),
        ("@daily", "has 1 fields"),
        ("60 * * * *", "minute: '60' is not from 0 to 59"),
        ("0 3 * * 7", "'7' is not from 0 to 6; Sunday is 0"),
        ("0 3 L * *", "day of month: 'L' is not"),
        ("0 3 * * 5-1", "'5-1' begins behind its end"),
        ("0 3 * * mon#1", "'mon#1' is no number, range or step"),
        ("*/0 * * * *", "a step of 0"),
        ("0 3 ? * *", "is no number"),
        ("0 ²3 * * *", "hour"),
    ],
)
def test_schedules_that_it_does_not_take(cron: str, why: str) -> None:
    with pytest.raises(BadInput) as raised:
        six_fields(cron)
    assert why in raised.value.message
    assert raised.value.id == "bad-cron"


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"token": {"env": "A"}, "token_file": "b"}, "takes one of token and token_file"),
        ({"iap_client_id": "a", "iap_other_client_id": "b"}, "together"),
        ({"token": "secret"}, "takes a reference to a secret"),
        ({"host": "http://a b"}, "should match pattern"),
        ({"timeout": 0}, "greater than or equal to 1"),
    ],
)
def test_configurations_that_are_none(config: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        KubeflowConfig(**config)
