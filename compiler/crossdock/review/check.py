"""What a target says of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput, Problem, UnsupportedError, did_you_mean
from crossdock.dsl.frozen import frozen
from crossdock.ir import Plan, check_support
from crossdock.passes.load import Loaded
from crossdock.stacks import CanCheckSpecs, Orchestrator, Stack


@frozen
class Checked:
    """What a target says of a plan: it can run it, but does some things otherwise."""

    target: str
    warnings: tuple[Problem, ...]


@frozen
class CheckedSpec:
    """What a target says of a native spec.

    Attributes:
        target: the flavor's name.
        problems: everything that is wrong; none where it can be run.
    """

    target: str
    problems: tuple[Problem, ...]


def check_spec(file: Path, target: str | None = None, all_targets: bool = False) -> list[CheckedSpec]:
    """What targets say of a native spec, whoever wrote it.

    Args:
        file: the spec.
        target: the flavor to ask; None asks the first that takes the file for a spec of its own.
        all_targets: ask every one that does.

    Raises:
        BadInput: the file cannot be read, no flavor knows it, or the flavor named checks no specs.
    """
    from crossdock import registry
    from crossdock.stacks.documents import shown_path

    name = shown_path(file)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadInput(f"cannot be read: {why}", where=name, hint="check the path", id="unreadable-file") from None
    kinds = {
        flavor: registry.flavor("orchestrator", flavor)
        for flavor in (registry.flavors("orchestrator") if target is None else (target,))
    }
    checking = [flavor for flavor, kind in kinds.items() if issubclass(kind, CanCheckSpecs)]
    found: list[CheckedSpec] = []
    for flavor in checking:
        checker = kinds[flavor](flavor, kinds[flavor].Config())
        if target is not None or checker.reads(name, text):
            found.append(CheckedSpec(flavor, tuple(checker.check_spec(name, text))))
        if found and not all_targets:
            break
    if target is not None and not found:
        raise BadInput(f"{target} checks no specs", hint="crossdock flavor list orchestrator", id="cannot-check-specs")
    if not found:
        raise BadInput(
            "no flavor takes this for a spec of its own",
            where=name,
            hint=f"--target FLAVOR, one of {', '.join(checking)}; or give a .py file with a pipeline",
            id="unknown-spec",
        )
    return found


def check_target(loaded: Loaded, orchestrator: Orchestrator[Any]) -> Checked:
    """Everything that a target does otherwise with a pipeline.

    Raises:
        UnsupportedError: it cannot run it; has every reason at once.
    """
    target = orchestrator.flavor
    problems, warnings = check_support(
        loaded.plan, target, orchestrator.features, orchestrator.rules, loaded.traced.locations
    )
    problems.extend(override_problems(loaded.plan, orchestrator, loaded.traced.locations))
    if problems:
        count = f"{len(problems)} problems" if len(problems) > 1 else "a problem"
        raise UnsupportedError(f"{target} cannot run {loaded.plan.name!r}: {count}", tuple(problems))
    return Checked(target, tuple(warnings))


def check_stack(loaded: Loaded, stack: Stack) -> Checked:
    """Everything that a stack does otherwise with a pipeline.

    Raises:
        UnsupportedError: its orchestrator cannot run it, or it asks for more than the stack's limits.
    """
    from crossdock.stacks.guardrails import over_limits

    locations = loaded.traced.locations
    over = list(over_limits(loaded.plan, stack.guardrails.limits, locations)) if stack.guardrails is not None else []
    try:
        checked = check_target(loaded, stack.orchestrator)
    except UnsupportedError as error:
        if not over:
            raise
        over = [*error.problems, *over]
    if over:
        count = f"{len(over)} problems" if len(over) > 1 else "a problem"
        raise UnsupportedError(
            f"stack {stack.name!r} does not take {loaded.plan.name!r}: {count}", tuple(over), id="over-limit"
        )
    return checked


def override_problems(
    plan: Plan, orchestrator: Orchestrator[Any], locations: Mapping[str, str] | None = None
) -> Iterator[Problem]:
    """Per-target overrides that the target's model refuses, and those for targets that are not installed."""
    from pydantic import ValidationError

    from crossdock import registry

    known: tuple[str, ...] | None = None
    for task in plan.tasks:
        for target, body in task.settings.targets.items():
            where = (locations or {}).get(task.id)
            if target != orchestrator.flavor:
                known = known or registry.flavors("orchestrator")
                if target not in known:
                    hint = did_you_mean(target, known)
                    yield Problem(
                        f"targets names no flavor {target!r}", task=task.id, where=where, hint=hint, id="unknown-flavor"
                    )
                continue
            try:
                orchestrator.Overrides(**body)
            except ValidationError as error:
                for item in error.errors():
                    place = ".".join(map(str, item["loc"]))
                    unknown = item["type"] == "extra_forbidden"
                    what = f"has no {place!r}" if unknown else f"takes another {place!r}: {item['msg']}"
                    hint = did_you_mean(place, orchestrator.Overrides.model_fields) if unknown else f"change {place}"
                    yield Problem(f"targets[{target!r}] {what}", task=task.id, where=where, hint=hint, id="bad-setting")
