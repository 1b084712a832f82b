"""What keeps people from hitting a stack by accident.

These stop accidents. Who may really use a cloud is for the cloud's own IAM to say: anybody who can edit a stack's file
can take its guardrails away.
"""

from __future__ import annotations

import fnmatch
import getpass
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdock.dsl.errors import BadInput, Problem, TraceError, did_you_mean
from crossdock.dsl.frozen import frozen
from crossdock.dsl.settings import Resources, format_bytes, parse_bytes, parse_cpu, parse_seconds
from crossdock.stacks.definitions import StackDefinition
from crossdock.stacks.documents import line_of

if TYPE_CHECKING:
    from crossdock.ir import Plan
    from crossdock.stacks.base import Stack

LIMITS = {
    "cpu": "cores a task",
    "memory": "bytes a task",
    "gpu": "accelerators a task",
    "tasks": "tasks a pipeline",
    "timeout": "wall time an attempt of a task",
}
_EXAMPLES = {"cpu": 8, "memory": "32Gi", "gpu": 1, "tasks": 100, "timeout": "2h"}
_LISTS = ("users", "branches")
_OTHERS = "let somebody else submit it, or submit it from another branch"


@frozen
class Rules:
    """Users and git branches, as shell patterns; None says nothing."""

    users: tuple[str, ...] | None = None
    branches: tuple[str, ...] | None = None


@frozen
class Guardrails:
    """A stack's guardrails.

    Attributes:
        protected: submitting needs `--confirm <its name>`.
        limits: by name of `LIMITS`; bytes and seconds as numbers.
        allow: who may submit, and from which branches.
        deny: who may not; it wins.
        require_clean_git: no uncommitted change in the user's repository.
        require_reviewed: only a bundle that was exported is submitted.
    """

    protected: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)
    allow: Rules = field(default_factory=Rules)
    deny: Rules = field(default_factory=Rules)
    require_clean_git: bool = False
    require_reviewed: bool = False

    @classmethod
    def of(cls, stack: StackDefinition) -> Guardrails:
        """The guardrails of a definition.

        Raises:
            BadInput: one is not what it should be; has every problem at once.
        """
        found, problems = _read(stack)
        if problems:
            raise BadInput(f"the guardrails of stack {stack.name!r} are wrong", problems=problems, id="bad-guardrails")
        return cls(**found)


def _read(stack: StackDefinition) -> tuple[dict[str, Any], list[Problem]]:
    found: dict[str, Any] = {}
    problems: list[Problem] = []

    def wrong(message: str, *keys: str, hint: str | None = None) -> None:
        line = line_of(Path(stack.file).expanduser(), *keys) if stack.file else 1
        problems.append(
            Problem(message, where=f"{stack.file}:{line}" if stack.file else None, hint=hint, id="bad-guardrails")
        )

    for name, value in stack.guardrails.items():
        if name in ("protected", "require_clean_git", "require_reviewed"):
            if isinstance(value, bool):
                found[name] = value
            else:
                wrong(f"{name} is true or false, not {value!r}", name)
        elif not isinstance(value, Mapping):
            wrong(f"{name} is a mapping, not {value!r}", name)
        elif name == "limits":
            found[name] = limits = {}
            for key, text in value.items():
                if key not in LIMITS:
                    wrong(f"there is no limit {key!r}", name, key, hint=did_you_mean(str(key), tuple(LIMITS)))
                    continue
                try:
                    limits[key] = _limit(key, text)
                except (TraceError, ValueError, TypeError):
                    wrong(
                        f"limits.{key}: {text!r} is no number of {LIMITS[key]}",
                        name,
                        key,
                        hint=f"such as {key}: {_EXAMPLES[key]}",
                    )
        else:
            unknown = [key for key in value if key not in _LISTS]
            for key in unknown:
                wrong(f"{name} has users and branches, not {key!r}", name, key)
            lists = {key: _patterns(value[key]) for key in _LISTS if key in value}
            for key, patterns in lists.items():
                if patterns is None:
                    wrong(
                        f"{name}.{key} is a list of names",
                        name,
                        key,
                        hint=f"{name}: {{{key}: [{'ana' if key == 'users' else 'main'}]}}",
                    )
            found[name] = Rules(**lists)
    return found, problems


def _limit(name: str, text: Any) -> float:
    if isinstance(text, bool):
        raise ValueError(text)
    if name == "memory":
        return float(parse_bytes(text, name))
    if name == "timeout":
        return float(parse_seconds(text, name))
    if name == "cpu":
        return float(parse_cpu(text))
    if not isinstance(text, (int, float)) or not 0 <= text < float("inf"):
        raise ValueError(text)
    return float(text)


def _patterns(value: Any) -> tuple[str, ...] | None:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return tuple(names)


def over_limits(plan: Plan, limits: Mapping[str, float], places: Mapping[str, str]) -> Iterator[Problem]:
    """What a plan asks for beyond a stack's limits."""
    if len(plan.tasks) > limits.get("tasks", len(plan.tasks)):
        yield Problem(
            f"the pipeline has {len(plan.tasks)} tasks, the stack's limit is {limits['tasks']:g}",
            hint="take another stack, or fewer tasks",
            id="over-limit",
        )
    for task in plan.tasks:
        resources = task.settings.resources or Resources()
        asked = {
            "cpu": resources.cpu,
            "memory": resources.bytes_of("memory"),
            "gpu": resources.gpu,
            "timeout": task.settings.timeout,
        }
        for name, value in asked.items():
            limit = limits.get(name)
            if limit is None:
                continue
            if name == "timeout" and value is None:
                message, hint = f"it has no timeout, the stack's limit is {_shown(name, limit)}", "set timeout="
            elif value is None or float(value) <= limit:  # type: ignore[arg-type]
                continue
            else:
                shown = _shown(name, float(value))  # type: ignore[arg-type]
                message = f"{name} is {shown}, the stack's limit is {_shown(name, limit)}"
                hint = "ask for less, or take another stack"
            yield Problem(message, task=task.id, where=places.get(task.id), hint=hint, id="over-limit")


def _shown(name: str, value: float) -> str:
    if name == "memory":
        return format_bytes(int(value))
    return f"{value:g} s" if name == "timeout" else f"{value:g}"


def check_submit(stack: Stack, *, confirm: str | None, reviewed: bool, source: Path | None = None) -> None:
    """Whether a submit to a stack is refused; every path that starts a run calls this first, before it writes anything.

    Args:
        stack: the stack.
        confirm: what the user confirmed.
        reviewed: whether an exported bundle is submitted.
        source: a folder of the user's repository; None is the working folder.

    Raises:
        BadInput: it is; has every reason at once.
    """
    problems = []
    if confirm is not None and confirm != stack.name:
        problems.append(
            Problem(
                f"{confirm!r} was confirmed, and the stack is {stack.name!r}",
                hint=f"--stack {confirm}, or confirm {stack.name!r} after another look",
                id="protected-stack",
            )
        )
    if stack.guardrails is not None:
        given = stack.name if problems else confirm  # one problem is enough
        problems += refusals(stack.name, stack.guardrails, confirm=given, reviewed=reviewed, source=source)
    if problems:
        raise BadInput(f"stack {stack.name!r} takes no run of this", problems=problems, id="refused")


def refusals(
    stack: str, rules: Guardrails, *, confirm: str | None, reviewed: bool, source: Path | None = None
) -> Iterator[Problem]:
    """Why a submit to a stack is refused.

    Args:
        stack: its name.
        rules: its guardrails.
        confirm: what the user confirmed.
        reviewed: whether an exported bundle is submitted.
        source: a folder of the user's repository; None is the working folder.
    """
    if rules.protected and confirm != stack:
        yield Problem(
            f"stack {stack!r} is protected",
            hint=f"look again, then add --confirm {stack}, or confirm={stack!r}",
            id="protected-stack",
        )
    if rules.require_reviewed and not reviewed:
        yield Problem(
            f"stack {stack!r} takes only what was reviewed",
            hint=f"crossdock export SOURCE --stack {stack} -o DIR, have DIR reviewed, then: crossdock submit DIR",
            id="not-reviewed",
        )
    if rules.require_clean_git:
        changed = _git("status", "--porcelain", folder=source)
        if changed is None:
            yield Problem(
                f"stack {stack!r} wants a clean git repository, and this is none",
                hint="run it from one",
                id="unclean-git",
            )
        elif changed:
            yield Problem(
                f"stack {stack!r} wants everything committed, and {_named(changed)}",
                hint="git commit, or git stash",
                id="unclean-git",
            )
    yield from _people(stack, rules, source)


def _named(changed: str) -> str:
    files = [line[3:] for line in changed.splitlines()]
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    return f"{', '.join(files[:3])}{more} {'is' if len(files) == 1 else 'are'} not"


def _people(stack: str, rules: Guardrails, source: Path | None) -> Iterator[Problem]:
    for what, value in (("user", _user), ("branch", lambda: _git("branch", "--show-current", folder=source) or "")):
        key = "users" if what == "user" else "branches"
        allowed, denied = getattr(rules.allow, key), getattr(rules.deny, key)
        if allowed is None and denied is None:
            continue
        name = value()
        shown = f"{what} {name!r}" if name else f"no {what}"
        if allowed is not None and not _matches(name, allowed):
            yield Problem(
                f"stack {stack!r} allows {key} {', '.join(allowed)}; this is {shown}", hint=_OTHERS, id="not-allowed"
            )
        if denied is not None and _matches(name, denied):
            yield Problem(
                f"stack {stack!r} denies {key} {', '.join(denied)}; this is {shown}", hint=_OTHERS, id="not-allowed"
            )


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def _git(*words: str, folder: Path | None) -> str | None:
    try:
        done = subprocess.run(
            ["git", *words], cwd=folder or Path.cwd(), capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.rstrip() if done.returncode == 0 else None


def explained(stack: str, rules: Guardrails) -> Iterator[str]:
    """Each guardrail in a line, for `stack describe`."""
    if rules.protected:
        yield f"protected: submitting needs --confirm {stack}"
    for name, limit in rules.limits.items():
        yield f"limit: {LIMITS[name]}: {_shown(name, limit)}; checked when a pipeline is compiled"
    for word, who in (("allow", rules.allow), ("deny", rules.deny)):
        for key in _LISTS:
            patterns = getattr(who, key)
            if patterns is not None:
                yield f"{word} {key}: {', '.join(patterns) or 'none'}"
    if rules.require_clean_git:
        yield "require_clean_git: nothing is submitted with uncommitted changes"
    if rules.require_reviewed:
        yield "require_reviewed: only exported bundles are submitted"
