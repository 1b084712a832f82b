"""The parts of a plan in words for people, each short: pictures, tables and differences use them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from crossdock.dsl.settings import Cache, Resources
from crossdock.ir import (
    Binding,
    BranchScope,
    Code,
    Collect,
    Compare,
    DictOf,
    GateCode,
    Item,
    ListOf,
    Literal,
    MapScope,
    OneOf,
    Output,
    Param,
    Parameter,
    Plan,
    Predicate,
    Program,
    PythonCode,
    RunOutput,
    Scope,
    Status,
    Task,
    Uri,
    Word,
)
from crossdock_runtime.show import tagged_text

_LONGEST_VALUE = 60
_OUTPUT = "output"


def shortened(text: str, limit: int = _LONGEST_VALUE) -> str:
    """A text that is cut where it is longer."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def value_text(tagged: Any, limit: int = _LONGEST_VALUE) -> str:
    """A tagged value as it is written in Python, cut where it is long."""
    return shortened(tagged_text(tagged), limit)


def binding_text(binding: Binding) -> str:
    """Where a value comes from: `data.train`, `parameter rows`, `[1, 2]`."""
    if isinstance(binding, Literal):
        return value_text(binding.value)
    if isinstance(binding, Param):
        return f"parameter {binding.name}{_path(binding.path)}"
    if isinstance(binding, Output):
        return f"{_of_task(binding)}{_path(binding.path)}"
    if isinstance(binding, Item):
        return f"item of {binding.scope}{_path(binding.path)}"
    if isinstance(binding, Collect):
        return f"list of {_of_task(binding)}"
    if isinstance(binding, OneOf):
        return " or ".join(map(binding_text, binding.options))
    if isinstance(binding, ListOf):
        return f"[{', '.join(map(binding_text, binding.items))}]"
    if isinstance(binding, DictOf):
        return "{" + ", ".join(f"{key}: {binding_text(item)}" for key, item in binding.items) + "}"
    if isinstance(binding, Uri):
        return binding.uri
    if isinstance(binding, RunOutput):
        return f"run {binding.run}: {binding.task}.{binding.name}"
    assert isinstance(binding, Status)
    return "how the run ended"


def _of_task(binding: Output | Collect) -> str:
    return binding.task if binding.name == _OUTPUT else f"{binding.task}.{binding.name}"


def _path(path: tuple[str | int, ...]) -> str:
    return "".join(f".{key}" if isinstance(key, str) else f"[{key}]" for key in path)


def predicate_text(predicate: Predicate) -> str:
    """A condition, as it is written in Python."""
    if isinstance(predicate, Compare):
        return f"{_operand(predicate.left)} {predicate.op} {_operand(predicate.right)}"
    if predicate.op == "not":
        return f"not ({predicate_text(predicate.terms[0])})"
    terms = (
        f"({predicate_text(term)})" if not isinstance(term, Compare) else predicate_text(term)
        for term in predicate.terms
    )
    return f" {predicate.op} ".join(terms)


def _operand(binding: Binding) -> str:
    return binding_text(binding).removeprefix("parameter ")


def scope_text(plan: Plan, scope: Scope) -> str:
    """A branch or map: `when total > 5`, `for each of shops`."""
    if isinstance(scope, BranchScope):
        condition = predicate_text(plan.gates[scope.gate].predicate)
        return f"when {condition}" if scope.expect else f"when not ({condition})"
    at_once = f", {scope.concurrency} at once" if scope.concurrency is not None else ""
    return f"for each of {_operand(scope.items)}{at_once}"


def code_text(code: Code) -> str:
    """What runs: `module:function`, a command, or our own evaluation of conditions."""
    if isinstance(code, PythonCode):
        return code.ref
    if isinstance(code, Program):
        return " ".join(_word(word) for word in (*code.command, *code.args))
    assert isinstance(code, GateCode)
    return "(evaluates conditions)"


def _word(word: str | Word) -> str:
    if isinstance(word, Word):
        return f"<{word.kind.replace('_', ' ')}: {word.name}>"
    return (
        word if word and not any(character.isspace() or character in "\"'" for character in word) else json.dumps(word)
    )


def resources_text(resources: Resources | None) -> str:
    """`4 cpu, 16Gi memory, 1 nvidia-l4, spot`; empty when nothing is asked for."""
    return ", ".join(_resources(resources or Resources()))


def _resources(resources: Resources) -> Iterator[str]:
    if resources.cpu is not None:
        yield f"{float(resources.cpu):g} cpu"
    if resources.memory is not None:
        yield f"{resources.memory} memory"
    if resources.gpu:
        yield f"{resources.gpu} {resources.gpu_type or 'gpu'}"
    if resources.disk is not None:
        yield f"{resources.disk} disk"
    if resources.shm is not None:
        yield f"{resources.shm} shm"
    if resources.spot:
        yield "spot"


def seconds_text(seconds: float) -> str:
    """`90 s`, `30 min`, `2 h`, `7 d`: the largest unit that is exact."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0 and seconds != 60:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def retry_text(task: Task) -> str:
    """`3 attempts, 10 s apart ×2, on ConnectionError`; empty for one attempt."""
    retry = task.settings.retry
    if retry is None or retry.max_attempts == 1:
        return ""
    parts = [f"{retry.max_attempts} attempts"]
    if retry.delay:
        grows = f" ×{retry.backoff:g}" if retry.backoff != 1 and retry.max_attempts > 2 else ""
        parts.append(f"{seconds_text(float(retry.delay))} apart{grows}")  # type: ignore[arg-type]
    if retry.on:
        parts.append(f"on {', '.join(map(str, retry.on))}")
    return ", ".join(parts)


def timeout_text(task: Task) -> str:
    """The longest that an attempt may take; empty for no limit."""
    timeout = task.settings.timeout
    return "" if timeout is None else seconds_text(float(timeout))  # type: ignore[arg-type]


def cache_text(task: Task) -> str:
    """`yes`, `no`, `7 d`: whether, and how long, a result is used again."""
    cache = task.settings.cache
    if not isinstance(cache, Cache):
        return "yes"
    if not cache.enabled:
        return "no"
    parts = [seconds_text(float(cache.expires))] if cache.expires is not None else []  # type: ignore[arg-type]
    parts += [f"depends on {item}" for item in cache.depends_on]
    return ", ".join(parts) or "yes"


def secrets_text(task: Task) -> str:
    """Each secret as the variable and the reference it is resolved from."""
    return ", ".join(
        f"{name} from {item.source}: {item.reference}" for name, item in sorted(task.settings.secrets.items())
    )


def parameter_text(parameter: Parameter) -> str:
    """`rows: int = 100`."""
    default = "" if parameter.required else f" = {value_text(parameter.default)}"
    return f"{parameter.name}: {parameter.type}{default}"


def is_mapped(plan: Plan, task: Task) -> bool:
    """Whether a task runs once for each of some items."""
    return any(isinstance(scope, MapScope) for scope in plan.scopes_of(task.scope))


def is_conditional(plan: Plan, task: Task) -> bool:
    """Whether a task stands in a branch."""
    return any(isinstance(scope, BranchScope) for scope in plan.scopes_of(task.scope))
