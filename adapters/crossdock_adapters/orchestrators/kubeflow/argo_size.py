"""How large the Argo workflow will be that KFP's backend makes of a spec: etcd, where it is kept, has a limit.

What stands in a workflow: https://github.com/kubeflow/pipelines/tree/master/backend/src/v2/compiler/argocompiler. The
spec of a task is in it twice, that of a loop more often, and what a task runs once for all with the same container.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.dsl.errors import BadInput, Problem
from crossdock.stacks import Spec
from crossdock_adapters.orchestrators._kfp_ir.checks import read
from crossdock_adapters.orchestrators._kfp_ir.checks.model import Model, is_last
from crossdock_adapters.orchestrators._kfp_ir.checks.source import Source

LIMIT = 1_572_864
"""Bytes of an object that etcd takes: https://etcd.io/docs/v3.5/dev-guide/limit/"""
NEAR = 0.75
"""The part of the limit from which on a spec is warned about: labels, and the state of a run, come on top."""
_HINT = "fewer tasks: a map over items is one task; or several pipelines"
_FRAME = 9_300
"""Bytes of the templates that every workflow has, measured with KFP 2.17.0."""
_HASH = "0" * 64
_PARENT = "{{inputs.parameters.parent-dag-id}}"


def predicted_argo_bytes(model: Model) -> int:
    """The size of the workflow, in bytes of JSON, as it is created.

    For chains and fans of container tasks it differed by at most 2 % from what KFP 2.17.0 makes at 100 tasks and more,
    and by 6 % at 10; of loops and exit tasks nothing was measured.
    """
    return _FRAME + sum(map(_bytes, _entries(model)))


def warnings(spec: Spec) -> Iterator[Problem]:
    """That a spec nears the limit, or is beyond it."""
    size = _size(spec)
    if size > NEAR * LIMIT:
        yield Problem(_words(size), where=next(iter(spec.files)), hint=_HINT, id="spec-too-large")


def too_large(spec: Spec) -> Iterator[Problem]:
    """That a spec is beyond the limit."""
    size = _size(spec)
    if size > LIMIT:
        yield Problem(_words(size), where=next(iter(spec.files)), hint=_HINT, id="spec-too-large")


def refuse_too_large(spec: Spec) -> None:
    """Refuse a spec of which the cluster cannot keep the workflow.

    Raises:
        BadInput: its workflow is larger than etcd takes.
    """
    size = _size(spec)
    if size > LIMIT:
        raise BadInput(f"the pipeline is too large: {_words(size)}", hint=_HINT, id="spec-too-large")


def _words(size: int) -> str:
    return f"KFP makes an Argo workflow of about {size / 1e6:.2f} MB of it, and etcd takes {LIMIT / 1e6:.2f} MB"


def _size(spec: Spec) -> int:
    if len(spec.main) < LIMIT // 20:  # far too small, and not worth to be read
        return 0
    model, _ = read(Source(next(iter(spec.files)), spec.main).documents)
    return predicted_argo_bytes(model) if model is not None else 0


def _bytes(entry: Any) -> int:
    return len(_text(entry).encode()) + 1


def _text(entry: Any) -> str:
    text = json.dumps(entry, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")  # as Go writes them


def _value(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def _entries(model: Model) -> Iterator[Any]:
    """Everything that stands in the workflow for this spec alone."""
    containers: set[str] = set()
    for name, component in model.components.items():
        container = model.executors.get(component.get("executorLabel", ""), {}).get("container")
        label = name
        if container is not None:
            text = _text(container)
            if text not in containers:
                containers.add(text)
                yield _value(f"components-{_HASH}", _text(component))
                yield _value(f"implementations-{_HASH}", text)
            platform = model.platform.get(component["executorLabel"])
            if platform:
                yield _value(f"kubernetes-{name}", _text(platform))
            continue
        yield _value(f"components-{label}", _text(component))
    for path, _, tasks in model.dags():
        yield _template(str(path[-2]))
        for name, task in tasks.items():
            yield from _task(model, name, task)


def _template(name: str) -> dict[str, Any]:
    inputs = {"parameters": [{"name": "parent-dag-id"}]}
    return {"dag": {"tasks": []}, "inputs": inputs, "metadata": {}, "name": name, "outputs": {}}


def _task(model: Model, name: str, task: Mapping[str, Any]) -> Iterator[Any]:
    text = _text(task)
    component = task.get("componentRef", {}).get("name", "")
    body = model.components.get(component, {})
    condition = bool(task.get("triggerPolicy", {}).get("condition"))
    depends = " && ".join(f"{other}.Succeeded" for other in task.get("dependentTasks", []))
    if is_last(task):
        yield _template(f"exit-hook-root-{name}")
        yield {"hooks": {"exit": {"template": f"exit-hook-root-{name}", "expression": "", "arguments": _arguments()}}}
    if "parameterIterator" in task:
        yield {"arguments": _arguments(), "depends": depends, "name": name, "template": f"{component}-{name}-iterator"}
        yield _template(f"{component}-{name}-iterator")
        yield _template(f"{component}-iteration")
        yield _dag_driver("iteration", component, text, "")
        yield {
            **_dag("iteration-iterations", component, condition),
            "withSequence": {"count": "{{tasks.iteration-driver.outputs}}"},
        }
        name, depends = "iteration-item", ""
    if "dag" in body:
        yield _dag_driver(name, component, text, depends)
        yield _dag(name, component, condition)
    else:
        platform = model.platform.get(body.get("executorLabel", ""), {})
        yield _container_driver(name, component, text, depends, bool(platform))
        yield _executor(name, bool(task.get("retryPolicy")), platform.get("podMetadata", {}))


def _arguments() -> dict[str, Any]:
    return {"parameters": [_value("parent-dag-id", _PARENT)]}


def _dag_driver(name: str, component: str, task: str, depends: str) -> dict[str, Any]:
    parameters = [
        _value("component", f"{{{{workflow.parameters.components-{component}}}}}"),
        _value("parent-dag-id", _PARENT),
        _value("task", task),
        _value("task-name", name),
    ]
    arguments = {"parameters": parameters}
    return {"arguments": arguments, "depends": depends, "name": f"{name}-driver", "template": "system-dag-driver"}


def _dag(name: str, component: str, condition: bool) -> dict[str, Any]:
    outputs = f"{{{{tasks.{name}-driver.outputs.parameters"
    parameters = [
        _value("parent-dag-id", f"{outputs}.execution-id}}}}"),
        _value("condition", f"{outputs}.condition}}}}"),
    ]
    body = {
        "arguments": {"parameters": parameters},
        "depends": f"{name}-driver.Succeeded",
        "name": name,
        "template": component,
    }
    return {**body, "when": f"{outputs}.condition}}}} != false"} if condition else body


def _container_driver(name: str, component: str, task: str, depends: str, platform: bool) -> dict[str, Any]:
    parameters = [
        _value("component", f"{{{{workflow.parameters.components-{_HASH}}}}}"),
        _value("task", task),
        _value("container", f"{{{{workflow.parameters.implementations-{_HASH}}}}}"),
        _value("task-name", name),
        _value("parent-dag-id", _PARENT),
    ]
    if platform:
        parameters.append(_value("kubernetes-config", f"{{{{workflow.parameters.kubernetes-{component}}}}}"))
    arguments = {"parameters": parameters}
    return {"arguments": arguments, "depends": depends, "name": f"{name}-driver", "template": "system-container-driver"}


def _executor(name: str, retry: bool, metadata: Mapping[str, Any]) -> dict[str, Any]:
    outputs = f"{{{{tasks.{name}-driver.outputs.parameters"
    parameters = [
        _value("pod-spec-patch", f"{outputs}.pod-spec-patch}}}}"),
        {"default": "false", **_value("cached-decision", f"{outputs}.cached-decision}}}}")},
    ]
    if retry:
        limits = (
            ("max-count", "10"),
            ("backoff-duration", "30"),
            ("backoff-factor", "2"),
            ("backoff-max-duration", "600"),
        )
        parameters += [_value(f"retry-{part}", text) for part, text in limits]
    for kind in ("labels", "annotations"):
        for key, text in metadata.get(kind, {}).items():
            parameters += [_value(f"pod-metadata-{kind}-key-1", key), _value(f"pod-metadata-{kind}-val-1", text)]
    return {
        "arguments": {"parameters": parameters},
        "depends": f"{name}-driver.Succeeded",
        "name": name,
        "template": "retry-system-container-executor" if retry else "system-container-executor",
    }
