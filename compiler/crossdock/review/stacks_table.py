"""STACKS.md: one pipeline on several stacks side by side, and only what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from crossdock.dsl.errors import UnsupportedError
from crossdock.ir import Plan
from crossdock.review import words
from crossdock.review.lock import Bundle
from crossdock.review.report import NOT_SHOWN, code, image_of, store_text, table
from crossdock.review.support import done_otherwise
from crossdock.stacks import Stack
from crossdock.stacks.guardrails import explained

_Made = Mapping[str, tuple[Stack, Bundle]]


def stacks_table(plan: Plan, made: _Made, refused: Mapping[str, UnsupportedError]) -> str:
    """The text of STACKS.md."""
    rows = list(_rows(plan, made))
    differing = [(what, *cells) for what, cells in rows if len(set(cells)) > 1]
    same = [what for what, cells in rows if len(set(cells)) == 1 and any(cells)]
    lines = [f"# {plan.name} on {len(made)} stacks", ""]
    if differing:
        lines += ["What differs:", "", *table(("", *(f"[{name}]({name}/REVIEW.md)" for name in made)), differing)]
    else:
        lines += [f"Nothing differs between {', '.join(f'[{name}]({name}/REVIEW.md)' for name in made)}.", ""]
    if same:
        lines += [f"The same on all: {', '.join(same)}.", ""]
    lines += [f"The plan is one: `sha256:{plan.digest}`, {len(plan.tasks)} tasks.", ""]
    for name, error in refused.items():
        lines += [f"## {name} cannot run it", ""]
        lines += [
            f"- {f'`{problem.task}`: ' if getattr(problem, 'task', None) else ''}{problem.message}"
            for problem in error.problems
        ]
        lines.append("")
    return "\n".join(lines)


def _rows(plan: Plan, made: _Made) -> Iterator[tuple[str, list[str]]]:
    stacks = [stack for stack, _ in made.values()]

    def row(what: str, of: Callable[[Stack], str]) -> tuple[str, list[str]]:
        return what, [of(stack) for stack in stacks]

    yield row("orchestrator", lambda stack: f"{stack.orchestrator.name} ({stack.orchestrator.flavor})")
    yield row("artifact store", store_text)
    others = dict.fromkeys(key.partition("/")[0] for stack in stacks for key in stack.components)
    for type_ in others:
        yield row(type_.replace("_", " "), lambda stack, type_=type_: _others(stack, type_))  # type: ignore[misc]
    yield row(
        "image",
        lambda stack: (
            _of_tasks(plan, lambda task: image_of(made[stack.name][1].plan, task, stack.orchestrator))
            or "(this environment)"
        ),
    )
    yield row("resources", lambda stack: _of_tasks(plan, lambda task: words.resources_text(task.settings.resources)))
    yield row("retries of user code", lambda stack: _of_tasks(plan, words.retry_text))
    for task in plan.tasks:
        if task.settings.targets:
            yield row(
                f"`{task.id}`: overrides",
                lambda stack, task=task: code(
                    str(dict(task.settings.targets.get(stack.orchestrator.flavor, {})) or "")
                ),  # type: ignore[misc]
            )
    configs = [stack.orchestrator.config.model_dump(mode="json") for stack in stacks]
    chosen = {key for stack in stacks for key in stack.orchestrator.config.model_dump(exclude_defaults=True)}
    for name in dict.fromkeys(key for config in configs for key in config):
        everywhere = all(name in config for config in configs)
        if name not in (*NOT_SHOWN, "image") and (everywhere or name in chosen):
            yield f"orchestrator: {name}", [_setting(config, name) for config in configs]
    done = [{item.feature: item.how for item in done_otherwise(plan, stack.orchestrator)} for stack in stacks]
    for feature in dict.fromkeys(feature for found in done for feature in found):
        yield feature.value, [found.get(feature, "natively") for found in done]
    yield row(
        "guardrails", lambda stack: "; ".join(explained(stack.name, stack.guardrails)) if stack.guardrails else ""
    )
    yield "files", [", ".join(map(code, bundle.spec_files)) for _, bundle in made.values()]


def _setting(config: Mapping[str, Any], name: str) -> str:
    if name not in config:
        return "–"
    return code(words.shortened(str(config[name]), 120))


def _others(stack: Stack, type_: str) -> str:
    found = [item for key, item in stack.components.items() if key.partition("/")[0] == type_]
    return ", ".join(f"{item.name} ({item.flavor})" for item in found)


def _of_tasks(plan: Plan, of: Callable[[Any], str]) -> str:
    """What tasks have, those with the same together."""
    found: dict[str, list[str]] = {}
    for task in plan.tasks:
        text = of(task)
        if text:
            found.setdefault(text, []).append(task.id)
    if len(found) == 1 and len(next(iter(found.values()))) == len(plan.tasks):
        return code(next(iter(found)))
    return "; ".join(
        f"{code(text)} {', '.join(tasks) if len(tasks) <= 4 else f'{len(tasks)} tasks'}"
        for text, tasks in found.items()
    )
