"""REVIEW.md: all that a reviewer of one bundle wants to know, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from crossdock.ir import Plan, Program, PythonCode, Task
from crossdock.review import words
from crossdock.review.lock import PICTURE_FILE, code_digest_of
from crossdock.review.packaging import FOLDER, Packaged
from crossdock.review.pictures import mermaid
from crossdock.review.project_files import IMAGES_LOCK
from crossdock.review.support import done_otherwise
from crossdock.stacks import ContainerConfig, Orchestrator, Spec, Stack
from crossdock.stacks.guardrails import explained

NOT_SHOWN = ("path", "root")
"""Settings of components that may be paths of one machine."""
_MOST_IN_MERMAID = 120
_LONGEST_LIST = 6


def report(found: Packaged, source: str, orchestrator: Orchestrator[Any], stack: Stack | None, spec: Spec) -> str:
    """The text of REVIEW.md."""
    plan = found.plan
    parts = [
        *_head(plan, source, orchestrator, stack, spec),
        *_tasks(plan, orchestrator),
        *_environment(plan),
        *_packaging(found),
        *_otherwise(plan, orchestrator),
        *_guardrails(stack),
        *_picture(plan),
        *_digests(plan),
    ]
    return "\n".join(parts) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table; columns that are empty in every row are left out."""
    body = [[cell(text) for text in row] for row in rows]
    kept = [index for index in range(len(head)) if index == 0 or any(row[index] for row in body)]
    yield f"| {' | '.join(head[index] for index in kept)} |"
    yield f"|{' --- |' * len(kept)}"
    for row in body:
        yield f"| {' | '.join(row[index] for index in kept)} |"
    yield ""


def cell(text: str) -> str:
    """A text that stays in its cell, and is no markup but for what is code in it."""
    parts = text.replace("\n", " ").replace("|", "\\|").split("`")
    if len(parts) % 2 == 0:
        parts = [chr(0x2019).join(parts)]
    return "`".join(part if index % 2 else part.replace("<", "&lt;") for index, part in enumerate(parts))


def code(text: str) -> str:
    """A text as code in a cell; nothing for nothing."""
    return f"`{text.replace('`', chr(0x2019))}`" if text else ""


def named(names: Sequence[str]) -> str:
    """Names, the rest counted where they are many."""
    more = len(names) - _LONGEST_LIST
    return ", ".join(names[:_LONGEST_LIST]) + (f" and {more} more" if more > 0 else "")


def _head(plan: Plan, source: str, orchestrator: Orchestrator[Any], stack: Stack | None, spec: Spec) -> Iterator[str]:
    where = f"stack `{stack.name}`" if stack is not None else f"target `{orchestrator.flavor}`, with placeholders"
    yield f"# {plan.name} on {where}"
    yield ""
    yield f"Exported from `{source}`. What runs when this bundle is submitted is: {', '.join(map(code, spec.files))}."
    yield ""
    rows = [("orchestrator", f"{orchestrator.name} ({orchestrator.flavor})" if stack else orchestrator.flavor)]
    settings = orchestrator.config.model_dump(mode="json", exclude_defaults=True)
    rows += [(f"its {name}", code(str(value))) for name, value in settings.items() if name not in NOT_SHOWN]
    if stack is not None:
        rows.append(("artifact store", store_text(stack)))
        rows += [
            (key.partition("/")[0].replace("_", " "), f"{item.name} ({item.flavor})")
            for key, item in stack.components.items()
        ]
    rows += [("parameter", code(words.parameter_text(item))) for item in plan.parameters.values()]
    rows += [("output", code(f"{name}: {words.binding_text(item.binding)}")) for name, item in plan.outputs.items()]
    after = "the other tasks go on" if plan.on_failure == "continue" else "no further task starts"
    rows += [("tasks", str(len(plan.tasks))), ("after a failure", after)]
    yield from table(("", ""), rows)


def store_text(stack: Stack) -> str:
    """Name and flavor of an artifact store, and its address where that is not on one machine."""
    store = stack.artifact_store
    remote = "://" in store.url and not store.url.startswith("file:")
    return f"{store.name} ({store.flavor})" + (f", {store.url}" if remote else "")


def image_of(plan: Plan, task: Task, orchestrator: Orchestrator[Any]) -> str:
    """The image that a task runs in, as far as plan and configuration say it."""
    if not isinstance(orchestrator.config, ContainerConfig) and not orchestrator.remote:
        return f"{task.settings.image} (not used)" if task.settings.image else ""
    found = plan.image_of(task) or getattr(orchestrator.config, "image", None)
    return str(found) if found else "(placeholder)"


def _tasks(plan: Plan, orchestrator: Orchestrator[Any]) -> Iterator[str]:
    yield "## Tasks"
    yield ""
    in_order = sorted(plan.tasks, key=lambda task: task.id == plan.on_exit)
    head = ("task", "runs", "image", "command or step", "resources", "retries", "timeout", "cache", "secrets")
    yield from table(head, (_row(plan, task, orchestrator) for task in in_order))


def _row(plan: Plan, task: Task, orchestrator: Orchestrator[Any]) -> tuple[str, ...]:
    settings = task.settings
    return (
        code(task.id),
        "; ".join(_runs(plan, task)),
        code(image_of(plan, task, orchestrator)),
        code(words.shortened(words.code_text(task.code), 400)),
        words.resources_text(settings.resources),
        words.retry_text(task),
        words.timeout_text(task),
        words.cache_text(task),
        words.secrets_text(task),
    )


def _runs(plan: Plan, task: Task) -> Iterator[str]:
    if task.id == plan.on_exit:
        yield "at the end in any case"
    yield from (words.scope_text(plan, scope) for scope in plan.scopes_of(task.scope))
    if task.after:
        yield f"after {', '.join(task.after)}"


def _environment(plan: Plan) -> Iterator[str]:
    found: dict[tuple[str, ...], list[str]] = {}
    for task in plan.tasks:
        settings = task.settings
        entries = [
            f"{kind} {key}={value}"
            for kind in ("env", "labels")
            for key, value in sorted(getattr(settings, kind).items())
        ]
        entries += [f"requires {item}" for item in settings.requirements or ()]
        entries += [
            f"for {target}: {words.shortened(str(body), 200)}" for target, body in sorted(settings.targets.items())
        ]
        if entries:
            found.setdefault(tuple(entries), []).append(code(task.id))
    if found:
        rows = [(", ".join(tasks), ", ".join(map(code, entries))) for entries, tasks in found.items()]
        yield "## Environment"
        yield ""
        yield from table(("tasks", "what they are given beside their inputs"), rows)


def _packaging(found: Packaged) -> Iterator[str]:
    """The code package, and the images that are built: of what, and whether they are yet."""
    package, recipes = found.code, found.recipes
    if package is None and not recipes:
        return
    yield "## Code and images"
    yield ""
    if package is not None:
        yield f"The runtime fetches the project from the artifact store: {cell(package.summary())}."
        yield ""
    by_digest = {recipe.digest: (task, recipe) for task, recipe in recipes.items()}
    rows = []
    for digest, (task, recipe) in by_digest.items():
        reference = str(found.plan.image_of(found.plan.by_id[task]))
        tasks = [task for task, other in recipes.items() if other.digest == digest]
        unpinned = found.names[digest] in found.unbuilt
        holds = f"sha256:{recipe.project[:12]}…" if recipe.project is not None else ""
        rows.append((code(reference) + (" unpinned" if unpinned else ""), named(tasks), code(recipe.base),
                     ", ".join(map(code, recipe.requirements)), holds))  # fmt: skip
    if rows:
        yield from table(("image", "tasks", "from", "requirements", "project"), rows)
        yield f"The Dockerfile of each is in `{FOLDER}/`, with the requirements as they are pinned in `{IMAGES_LOCK}`."
        yield ""


def _otherwise(plan: Plan, orchestrator: Orchestrator[Any]) -> Iterator[str]:
    yield f"## Done otherwise on {orchestrator.flavor}"
    yield ""
    rows = done_otherwise(plan, orchestrator)
    if not rows:
        yield "Nothing: the target has everything that this pipeline uses."
        yield ""
        return
    yield from table(
        ("feature", "tasks", "how"), ((row.feature.value, named(row.tasks) or "the pipeline", row.how) for row in rows)
    )


def _guardrails(stack: Stack | None) -> Iterator[str]:
    lines = list(explained(stack.name, stack.guardrails)) if stack is not None and stack.guardrails is not None else []
    if lines:
        yield "## Guardrails"
        yield ""
        yield from (f"- {line}" for line in lines)
        yield ""


def _picture(plan: Plan) -> Iterator[str]:
    yield "## Picture"
    yield ""
    if len(plan.tasks) <= _MOST_IN_MERMAID:
        yield "```mermaid"
        yield mermaid(plan).rstrip("\n")
        yield "```"
        yield ""
    yield f"![{plan.name}]({PICTURE_FILE})"
    yield ""


def _digests(plan: Plan) -> Iterator[str]:
    yield "## Digests"
    yield ""
    rows = [("plan", code(f"sha256:{plan.digest}")), ("code of all steps", code(code_digest_of(plan)))]
    rows += [(code(task.id), code(task.code.digest)) for task in plan.tasks if isinstance(task.code, PythonCode)]
    rows += [
        (f"image of {code(task.id)}", code(task.settings.image or "") + _pinned(task))
        for task in plan.tasks
        if isinstance(task.code, Program) and task.settings.image
    ]
    yield from table(("of", "digest"), rows)
    yield "A step's digest is over its code and all code of the project that it reaches. The files' digests are in"
    yield "`crossdock.lock`; `crossdock diff` says what changed since."


def _pinned(task: Task) -> str:
    return "" if "@sha256:" in (task.settings.image or "") else " unpinned"
