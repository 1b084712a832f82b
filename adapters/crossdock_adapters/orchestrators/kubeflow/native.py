"""How KFP's view of a run, which is Argo's nodes, tells of our tasks.

A container task is three nodes: `<name>-driver`, `<name>`, and below it `executor`, which is the pod; where KFP tries
again, its tries are `executor(0)`, `executor(1)`. An item of a loop is below `iteration-iterations(<index>:…)`.

Source: https://github.com/kubeflow/pipelines/blob/master/backend/src/v2/compiler/argocompiler/dag.go and
https://github.com/kubeflow/pipelines/blob/master/backend/src/apiserver/server/api_converter.go
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from crossdock.dsl.frozen import frozen
from crossdock.ir import BranchScope, MapScope, Plan
from crossdock.stacks import NativeTask
from crossdock_adapters.orchestrators._kfp_ir.layout import lay_out

RUN_STATES = {
    "SUCCEEDED": "succeeded",
    "SKIPPED": "succeeded",
    "FAILED": "failed",
    "CANCELED": "cancelled",
}
"""States in which a run has ended; in every other, it runs, waits, or is paused."""
TASK_STATES = {
    "PENDING": "pending",
    "PAUSED": "pending",
    "RUNNING": "running",
    "CANCELING": "running",
    "SUCCEEDED": "succeeded",
    "SKIPPED": "skipped",
    "FAILED": "failed",
    "CANCELED": "cancelled",
}
_ITEM = re.compile(r"iteration-iterations\((\d+):")
_POD = re.compile(r"executor(\((\d+)\))?")
_DRIVER = "-driver"
# What Kubernetes and Argo say: https://kubernetes.io/docs/concepts/containers/images/ and
# https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
_KINDS = (
    ("import error", re.compile(r"ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|pull(ing)? image")),
    ("out of memory", re.compile(r"OOMKilled|exit code 137.*memory|out of memory", re.IGNORECASE)),
    ("timeout", re.compile(r"DeadlineExceeded|active on the node longer than|exceeded its deadline")),
    ("terminated", re.compile(r"Evicted|Preempt|node was low on resource|pod deleted|node (is )?lost", re.IGNORECASE)),
)
_Place = tuple[tuple[str, int], ...]


@frozen
class Tasks:
    """What a run's nodes say.

    Attributes:
        states: by `task`, or `task.0.3` for an item.
        pods: names of the pods that tried a task, in that order.
    """

    states: Mapping[str, NativeTask] = field(default_factory=dict)
    pods: Mapping[str, Sequence[str]] = field(default_factory=dict)


def message_of(run: Mapping[str, Any]) -> str:
    """Why a run, or a task, is as it is, in the server's words; empty where it does not say."""
    errors = [run.get("error"), *(state.get("error") for state in reversed(run.get("state_history") or ()))]
    return next((" ".join(error["message"].split()) for error in errors if error and error.get("message")), "")


def kind_of(message: str) -> str:
    """The kind of failure that a message tells of; empty where it tells none."""
    return next((kind for kind, words in _KINDS if words.search(message)), "")


def tasks_of(plan: Plan, details: Sequence[Mapping[str, Any]]) -> Tasks:
    """Our tasks among the nodes of a run.

    Args:
        details: `run_details.task_details` of the vendor's `Run`.
    """
    return _Reading(plan, details).tasks()


class _Reading:
    def __init__(self, plan: Plan, details: Sequence[Mapping[str, Any]]) -> None:
        names = lay_out(plan).names
        self._plan = plan
        self._tasks = {name: task for task, name in names.tasks.items() if task in plan.by_id}
        self._others = {name for task, name in names.tasks.items() if task not in plan.by_id}  # that list a map's items
        self._scopes = {name: scope for scope, name in names.scopes.items()}
        # A node is named as its pod would be, a child by the id of its node: both end in the hash of the node's name.
        self._nodes = {_hash(node): node for node in details if node.get("pod_name")}
        self._children = {
            key: [child for item in node.get("child_tasks") or () if (child := _hash(item)) in self._nodes]
            for key, node in self._nodes.items()
        }
        self._states: dict[str, NativeTask] = {}
        self._pods: dict[str, list[tuple[int, str]]] = {}

    def tasks(self) -> Tasks:
        below = {child for children in self._children.values() for child in children}
        seen: set[tuple[str, _Place, str]] = set()
        # A node's key, the items that it is in, and the map or task that it is part of.
        waiting: list[tuple[str, _Place, str]] = [(key, (), "") for key in self._nodes if key not in below]
        while waiting:
            entry = waiting.pop()
            if entry in seen:
                continue
            seen.add(entry)
            key, place, part = entry
            place, part = self._read(self._nodes[key], place, part)
            waiting.extend((child, place, part) for child in self._children[key])
        pods = {name: [pod for _, pod in sorted(found)] for name, found in self._pods.items()}
        return Tasks(self._states, pods)

    def _read(self, node: Mapping[str, Any], place: _Place, part: str) -> tuple[_Place, str]:
        """Take what a node says; the place and the part that its children are in."""
        name = str(node.get("display_name", ""))
        item, pod = _ITEM.match(name), _POD.fullmatch(name)
        if name in self._tasks:
            task = self._tasks[name]
            place = self._within(self._plan.by_id[task].scope, place)
            part = _name(task, place)
            self._say(part, node)
        elif name.removesuffix(_DRIVER) in self._others:
            part = ""
        elif name in self._scopes:
            part = self._scopes[name]
            scope = self._plan.scopes[part]
            place = self._within(scope.parent, place)
            if isinstance(scope, BranchScope) and node.get("state") == "SKIPPED":
                self._skip(scope.id, place)
        elif item is not None and isinstance(self._plan.scopes.get(part), MapScope):
            place = (*place, (part, int(item[1])))
        elif pod is not None and part:
            if pod[1] or not any(_POD.fullmatch(self._title(child)) for child in self._children[_hash(node)]):
                self._pods.setdefault(part, []).append((int(pod[2] or 0), str(node["pod_name"])))
            self._say(part, node, closer=True)
        elif name.endswith(_DRIVER):
            ahead = name.removesuffix(_DRIVER)
            if ahead in self._tasks:
                task = self._tasks[ahead]
                place = self._within(self._plan.by_id[task].scope, place)
                self._say(_name(task, place), node, closer=True)
                part = ""
            elif ahead in self._scopes:
                place = self._within(self._plan.scopes[self._scopes[ahead]].parent, place)
        return place, part

    def _title(self, key: str) -> str:
        return str(self._nodes[key].get("display_name", ""))

    def _within(self, scope: str | None, place: _Place) -> _Place:
        """Of the items that lead here, those of the maps around a scope; a map that was left counts no more."""
        maps = {found.id for found in self._plan.maps_of(scope)}
        return tuple(step for step in place if step[0] in maps)

    def _say(self, name: str, node: Mapping[str, Any], closer: bool = False) -> None:
        """Take a node's state for a task.

        Args:
            closer: it is the task's driver or pod, whose word counts for the reason only, or where it failed.
        """
        state = TASK_STATES.get(str(node.get("state")))
        message = message_of(node)
        known = self._states.get(name)
        if state is None:
            return
        if closer:
            if known is None and state != "failed":
                state = "pending" if state in ("pending", "succeeded", "skipped") else state
            elif known is not None:
                state, message = known.state, known.message or (message if state == "failed" else "")
        elif known is not None:
            message = message or known.message
        failed = state == "failed"
        self._states[name] = NativeTask(state, kind_of(message) if failed else "", message if failed else "")

    def _skip(self, scope: str, place: _Place) -> None:
        for task in self._plan.tasks:
            if scope in (found.id for found in self._plan.scopes_of(task.scope)):
                self._states.setdefault(_name(task.id, place), NativeTask("skipped"))


def _hash(node: Mapping[str, Any]) -> str:
    return str(node.get("pod_name") or "").rpartition("-")[2]


def _name(task: str, place: _Place) -> str:
    return ".".join([task, *(str(index) for _, index in place)])


def pods_of(tasks: Tasks, name: str) -> Iterator[str]:
    """The pods of a task, or of all its items."""
    for found, pods in tasks.pods.items():
        if found == name or found.startswith(f"{name}."):
            yield from pods
