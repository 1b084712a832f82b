"""What no part of KFP checks before a pod fails: names, bindings, edges, containers. And what its DAGs would do."""

from __future__ import annotations

import graphlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

NAME = re.compile(r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
PLACEHOLDER = re.compile(r"\{\{\$\.(inputs|outputs)\.parameters\['([^']*)'\](\.output_file)?\}\}")
CONDITION = re.compile(r"^inputs\.parameter_values\['([^']+)'\] == '(true|false)'$")
LAST = "ALL_UPSTREAM_TASKS_COMPLETED"


def dags(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every DAG, the root first, with the component that holds it."""
    yield "root", spec["root"]
    for name, component in spec["components"].items():
        if "dag" in component:
            yield name, component


def declared(component: Mapping[str, Any], side: str = "input") -> dict[str, str]:
    found = component.get(f"{side}Definitions", {}).get("parameters", {})
    return {name: body["parameterType"] for name, body in found.items()}


def artifacts(component: Mapping[str, Any], side: str = "input") -> dict[str, Any]:
    found: dict[str, Any] = component.get(f"{side}Definitions", {}).get("artifacts", {})
    return found


def check(spec: Mapping[str, Any], platform: Mapping[str, Any] | None = None) -> None:
    """Assert everything that a backend takes for granted."""
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,127}", spec["pipelineInfo"]["name"])
    components, executors = spec["components"], spec["deploymentSpec"]["executors"]
    names: list[str] = []
    used: list[str] = []
    for owner, component in dags(spec):
        tasks = component["dag"]["tasks"]
        assert tasks, owner
        assert any(node.get("triggerPolicy", {}).get("strategy") != LAST for node in tasks.values())
        graphlib.TopologicalSorter({name: node.get("dependentTasks", []) for name, node in tasks.items()}).prepare()
        for name, node in tasks.items():
            names.append(name)
            used.append(node["componentRef"]["name"])
            check_node(owner, component, name, node, components)
    assert len(set(names)) == len(names), "a name is used twice"
    assert sorted(used) == sorted(components), "components and their uses differ"
    labels = [body["executorLabel"] for body in components.values() if "executorLabel" in body]
    assert sorted(labels) == sorted(executors), "executors and their uses differ"
    for body in components.values():
        if "executorLabel" in body:
            check_container(body, executors[body["executorLabel"]]["container"])
    containers = [json.dumps(body, sort_keys=True) for body in executors.values()]
    assert len(set(containers)) == len(containers), "two containers are equal"
    if platform is not None:
        assert set(platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]) <= set(executors)


def check_node(
    owner: str, parent: Mapping[str, Any], name: str, node: Mapping[str, Any], components: Mapping[str, Any]
) -> None:
    tasks = parent["dag"]["tasks"]
    where = f"{owner}/{name}"
    assert NAME.match(name), where
    assert len(name) <= 128, where
    assert node["taskInfo"]["name"] == name, where
    assert node["cachingOptions"] == {}, where
    component = components[node["componentRef"]["name"]]
    waits = node.get("dependentTasks", [])
    assert len(set(waits)) == len(waits), where
    for other in waits:
        upstream = tasks[other]
        assert "condition" not in upstream.get("triggerPolicy", {}), f"{where} waits for what may be skipped"
        assert upstream.get("triggerPolicy", {}).get("strategy") != LAST, f"{where} waits for an exit task"
    inputs = node["inputs"]["parameters"]
    wanted = declared(component)
    iterator = node.get("parameterIterator")
    free = {iterator["itemInput"]} if iterator else set()
    assert free <= set(wanted), where
    assert set(inputs) == set(wanted) - free, f"{where}: bound {sorted(inputs)}, declared {sorted(wanted)}"
    for key, source in inputs.items():
        ((kind, value),) = source.items()
        if kind == "componentInputParameter":
            assert declared(parent)[value] == wanted[key], f"{where}.{key}"
        elif kind == "taskOutputParameter":
            assert value["producerTask"] in waits, f"{where}.{key}"
            producer = components[tasks[value["producerTask"]]["componentRef"]["name"]]
            assert declared(producer, "output")[value["outputParameterKey"]] == wanted[key], f"{where}.{key}"
        else:
            assert kind == "runtimeValue", f"{where}.{key}"
            assert isinstance(value["constant"], str), f"{where}.{key}"
            assert wanted[key] == "STRING", f"{where}.{key}"
    read = node["inputs"].get("artifacts", {})
    assert set(read) == set(artifacts(component)), where
    assert not set(read) & set(wanted), f"{where}: an artifact and a parameter of one name"
    for key, source in read.items():
        ((kind, value),) = source.items()
        if kind == "componentInputArtifact":
            assert artifacts(parent)[value] == artifacts(component)[key], f"{where}.{key}"
        else:
            assert kind == "taskOutputArtifact", f"{where}.{key}"
            assert value["producerTask"] in waits, f"{where}.{key}"
            producer = components[tasks[value["producerTask"]]["componentRef"]["name"]]
            assert artifacts(producer, "output")[value["outputArtifactKey"]] == artifacts(component)[key]
    if iterator:
        items = iterator["items"]
        if "raw" in items:
            raw = json.loads(items["raw"])
            assert raw == [str(index) for index in range(len(raw))], where
        else:
            assert wanted[items["inputParameter"]] == "LIST", where
    condition = node.get("triggerPolicy", {}).get("condition")
    if condition is not None:
        match = CONDITION.match(condition)
        assert match, where
        assert match[1] in inputs, where
        assert wanted[match[1]] == "STRING", where
        assert "dag" in component, where


def check_container(component: Mapping[str, Any], container: Mapping[str, Any]) -> None:
    assert container["image"]
    assert container["command"] == ["python", "-m", "crossdock_runtime"]
    args = container["args"]
    found: dict[str, set[str]] = {"inputs": set(), "outputs": set()}
    for word in args:
        for side, name, file in PLACEHOLDER.findall(word):
            found[side].add(name)
            assert (side == "outputs") == bool(file)
        assert "{{" not in PLACEHOLDER.sub("", word) or word == "{{$}}"
    assert ("{{$}}" in args) == bool(artifacts(component, "output"))
    assert found["inputs"] == set(declared(component))
    assert found["outputs"] == set(declared(component, "output"))


def started(spec: Mapping[str, Any], gates: Mapping[str, str]) -> list[str]:
    """The containers that KFP starts, in one order that it may take; every loop runs once.

    A node starts when all that it waits for succeeded; one that is skipped did not succeed, but a DAG that holds
    it does.

    Args:
        spec: the pipeline spec.
        gates: what each gate's output is.
    """
    order: list[str] = []

    def run(component: Mapping[str, Any], values: Mapping[str, str]) -> None:
        tasks = component["dag"]["tasks"]
        states: dict[str, str] = {}
        graph = {name: node.get("dependentTasks", []) for name, node in tasks.items()}
        for name in graphlib.TopologicalSorter(graph).static_order():
            node = tasks[name]
            if any(states[other] != "succeeded" for other in graph[name]):
                states[name] = "omitted"
                continue
            bound = dict(values)
            for key, source in node["inputs"]["parameters"].items():
                if "taskOutputParameter" in source:
                    producer = source["taskOutputParameter"]["producerTask"]
                    assert states[producer] == "succeeded"
                    bound[key] = gates.get(source["taskOutputParameter"]["outputParameterKey"], "list")
            condition = node.get("triggerPolicy", {}).get("condition")
            if condition is not None:
                match = CONDITION.match(condition)
                assert match is not None
                if bound[match[1]] != match[2]:
                    states[name] = "skipped"
                    continue
            states[name] = "succeeded"
            inner = spec["components"][node["componentRef"]["name"]]
            if "dag" in inner:
                run(inner, bound)
            else:
                args = spec["deploymentSpec"]["executors"][inner["executorLabel"]]["container"]["args"]
                if "--task" in args:  # else it only lists the items of a map
                    order.append(args[args.index("--task") + 1])

    run(spec["root"], {})
    return order
