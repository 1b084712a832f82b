"""The JSON of what a plan is made of; what is default is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crossdock.dsl.settings import Cache, Resources, Retry, Secret, Settings
from crossdock_runtime.bindings import binding_json, read_binding
from crossdock_runtime.nodes import (
    BranchScope,
    Code,
    GateCode,
    Input,
    MapScope,
    OutputType,
    Packaging,
    Parameter,
    Program,
    PythonCode,
    Scope,
    Task,
    Word,
)


def drop_empty(body: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value is not None and value != [] and value != {}}


def parameter_json(item: Parameter) -> dict[str, Any]:
    body: dict[str, Any] = {"name": item.name, "type": item.type}
    if not item.required:
        body["default"] = item.default
    if item.artifact:
        body["artifact"] = True
    return body


def read_parameter(body: Mapping[str, Any]) -> Parameter:
    return Parameter(
        body["name"], body["type"], "default" not in body, body.get("default"), body.get("artifact", False)
    )


def packaging_json(item: Packaging) -> dict[str, Any]:
    return drop_empty({"code": item.code, "image": item.image, "images": dict(sorted(item.images.items()))})


def read_packaging(body: Mapping[str, Any]) -> Packaging:
    return Packaging(body.get("code"), body.get("image"), body.get("images", {}))


def input_json(item: Input) -> dict[str, Any]:
    body: dict[str, Any] = {"from": binding_json(item.binding), "type": item.type}
    if item.artifact:
        body["artifact"] = True
    if item.optional:
        body["optional"] = True
    return body


def read_input(body: Mapping[str, Any]) -> Input:
    return Input(read_binding(body["from"]), body["type"], body.get("artifact", False), body.get("optional", False))


def _output_json(item: OutputType) -> dict[str, Any]:
    body: dict[str, Any] = {"type": item.type}
    if item.artifact:
        body["artifact"] = True
    if item.materializer is not None:
        body["materializer"] = item.materializer
    return body


def _word_json(word: str | Word) -> Any:
    return word if isinstance(word, str) else {word.kind: word.name}


def _read_word(body: Any) -> str | Word:
    if isinstance(body, str):
        return body
    ((kind, name),) = body.items()
    return Word(kind, name)


def _code_json(code: Code) -> dict[str, Any]:
    if isinstance(code, PythonCode):
        return drop_empty(
            {"python": code.ref, "digest": code.digest, "returns": code.shape, "imports": list(code.imports)}
        )
    if isinstance(code, Program):
        return {
            "command": [_word_json(word) for word in code.command],
            "args": [_word_json(word) for word in code.args],
        }
    return {"gate": True}


def _read_code(body: Mapping[str, Any]) -> Code:
    if "python" in body:
        return PythonCode(body["python"], body["digest"], body["returns"], tuple(body.get("imports", ())))
    if "command" in body:
        return Program(
            tuple(_read_word(word) for word in body["command"]),
            tuple(_read_word(word) for word in body["args"]),
        )
    return GateCode()


def task_json(task: Task) -> dict[str, Any]:
    return drop_empty(
        {
            "id": task.id,
            "step": task.step,
            "code": _code_json(task.code),
            "inputs": {name: input_json(item) for name, item in task.inputs.items()},
            "outputs": {name: _output_json(item) for name, item in task.outputs.items()},
            "after": list(task.after),
            "scope": task.scope,
            "group": list(task.group),
            "settings": settings_json(task.settings),
        }
    )


def read_task(body: Mapping[str, Any]) -> Task:
    return Task(
        id=body["id"],
        step=body["step"],
        code=_read_code(body["code"]),
        inputs={name: read_input(item) for name, item in body.get("inputs", {}).items()},
        outputs={
            name: OutputType(item["type"], item.get("artifact", False), item.get("materializer"))
            for name, item in body.get("outputs", {}).items()
        },
        after=tuple(body.get("after", ())),
        scope=body.get("scope"),
        group=tuple(body.get("group", ())),
        settings=read_settings(body.get("settings", {})),
    )


def scope_json(scope: Scope) -> dict[str, Any]:
    if isinstance(scope, BranchScope):
        return drop_empty({"id": scope.id, "gate": scope.gate, "expect": scope.expect, "parent": scope.parent})
    return drop_empty(
        {
            "id": scope.id,
            "items": binding_json(scope.items),
            "concurrency": scope.concurrency,
            "parent": scope.parent,
        }
    )


def read_scope(body: Mapping[str, Any]) -> Scope:
    if "gate" in body:
        return BranchScope(body["id"], body["gate"], body["expect"], body.get("parent"))
    return MapScope(body["id"], read_binding(body["items"]), body.get("concurrency"), body.get("parent"))


_DEFAULTS = {
    Resources: Resources(),
    Retry: Retry(max_attempts=1),
    Cache: Cache(),
}


def _fields_json(item: Any) -> dict[str, Any]:
    default = _DEFAULTS[type(item)]
    body = {}
    for name in type(item).__dataclass_fields__:
        value = getattr(item, name)
        if value != getattr(default, name):
            body[name] = list(value) if isinstance(value, tuple) else value
    return body


def settings_json(settings: Settings) -> dict[str, Any]:
    """The JSON of a task's settings; what is not set is left out."""
    body: dict[str, Any] = {}
    for name in ("resources", "retry", "cache"):
        item = getattr(settings, name)
        if item is not None:
            body[name] = _fields_json(item)
    if settings.timeout is not None:
        body["timeout"] = settings.timeout
    if settings.image is not None:
        body["image"] = settings.image
    if settings.requirements is not None:
        body["requirements"] = list(settings.requirements)
    for name in ("env", "labels", "targets"):
        mapping = getattr(settings, name)
        if mapping:
            body[name] = dict(sorted(mapping.items()))
    if settings.secrets:
        body["secrets"] = {name: {secret.source: secret.reference} for name, secret in sorted(settings.secrets.items())}
    return body


def read_settings(body: Mapping[str, Any]) -> Settings:
    """The settings of their JSON."""
    if not body:
        return Settings()
    return Settings(
        resources=Resources(**body["resources"]) if "resources" in body else None,
        retry=Retry(**{"max_attempts": 1, **body["retry"]}) if "retry" in body else None,
        cache=Cache(**body["cache"]) if "cache" in body else None,
        timeout=body.get("timeout"),
        image=body.get("image"),
        requirements=tuple(body["requirements"]) if "requirements" in body else None,
        env=body.get("env", {}),
        labels=body.get("labels", {}),
        targets=body.get("targets", {}),
        secrets={name: Secret(**reference) for name, reference in body.get("secrets", {}).items()},
    )
