"""What can go wrong, drawn as a tree.

CrossdockError            exit 2    wrong usage or input
├── TraceError                      wrong use of a step, a pipeline or a control-flow construct
├── PlanError                       a plan that breaks a rule of the IR
├── UnsupportedError                a valid plan that the chosen target cannot run
├── BadInput                        a file, parameter, name or URI that cannot be used
├── RunFailed             exit 1    a valid pipeline whose run failed
├── StoreError            exit 3    the artifact store refused, is unreachable, or holds damaged bytes
└── PlatformError         exit 3    a platform (an engine, a registry, a service) refused, or cannot be reached

Each has an `id` that stays when its words change, such as `unknown-stack`: the one of its class, or a closer one given
with `id=`. docs/errors.md lists them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, TypeVar

_PASSED_OVER = frozenset(
    {"crossdock", "crossdock_adapters", "crossdock_runtime", "contextlib", "dataclasses", "functools"}
)


def caller() -> str:
    """`file:line` of the nearest frame that is the user's."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "crossdock").partition(".")[0] in _PASSED_OVER:
        frame = frame.f_back  # type: ignore[assignment]
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "<unknown>"


def shown(where: str) -> str:
    """A place as the user would type it: relative to the working folder where it is below it."""
    try:
        here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118 - pathlib is not loaded for this
    except OSError:
        return where
    return where.removeprefix(here)


class CrossdockError(Exception):
    """An error that a user can act on.

    Args:
        message: what happened, and why.
        where: `file:line` of the user's code, where there is one.
        hint: what to type or change next.
        problems: all that is wrong, where it is more than one thing.
        id: what to look it up by; None is the one of the class.
    """

    exit_code: ClassVar[int] = 2
    id: str = "error"

    def __init__(
        self,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        problems: Sequence[CrossdockError | Problem] = (),
        id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.problems = tuple(problems)
        if id is not None:
            self.id = id

    def __str__(self) -> str:
        return self.text()

    def text(self, *, ids: bool = False) -> str:
        """What people read; with the id behind the first line, as the command line shows it."""
        first = f"{shown(self.where)}: {self.message}" if self.where else self.message
        lines = [with_id(first, self.id) if ids else first]
        lines.extend(f"- {_listed(problem, self.id) if ids else problem}" for problem in self.problems)
        return "\n".join(lines) + (f"\n  hint: {self.hint}" if self.hint else "")

    def document(self) -> dict[str, Any]:
        """What programs read, as in `--json`."""
        return {
            "id": self.id,
            "message": self.message,
            "where": shown(self.where) if self.where else None,
            "hint": self.hint,
            "problems": [problem.document() for problem in self.problems],
        }


class TraceError(CrossdockError):
    """Wrong use of a step, a pipeline or a control-flow construct, found while tracing."""

    id = "bad-pipeline"


class PlanError(CrossdockError):
    """A plan that breaks a rule of the intermediate representation."""

    id = "bad-plan"


class BadInput(CrossdockError):
    """A file, a parameter, a name or a URI that cannot be used."""

    id = "bad-input"


class Problem:
    """One thing that a target cannot do with a plan.

    Attributes:
        task: id of the task, or None when it concerns the whole pipeline.
        message: what is not supported, and why not.
        where: `file:line` of the task.
        hint: what to do instead.
        id: what to look it up by; None is the one of the error that lists it.
    """

    __slots__ = ("hint", "id", "message", "task", "where")

    def __init__(
        self,
        message: str,
        *,
        task: str | None = None,
        where: str | None = None,
        hint: str | None = None,
        id: str | None = None,
    ) -> None:
        self.message = message
        self.task = task
        self.where = where
        self.hint = hint
        self.id = id

    def __str__(self) -> str:
        return self.text()

    def text(self, *, ids: bool = False) -> str:
        """What people read; with its own id behind the first line, as the command line shows it."""
        where = shown(self.where) if self.where else None
        place = ": ".join(part for part in (where, f"task {self.task!r}" if self.task else None) if part)
        text = f"{place}: {self.message}" if place else self.message
        if ids and self.id is not None:
            text = with_id(text, self.id)
        return f"{text}\n  hint: {self.hint}" if self.hint else text

    def document(self) -> dict[str, Any]:
        """What programs read, as in `--json`."""
        return {
            "id": self.id,
            "message": self.message,
            "task": self.task,
            "where": shown(self.where) if self.where else None,
            "hint": self.hint,
        }

    def __repr__(self) -> str:
        return f"Problem({str(self)!r})"


class UnsupportedError(CrossdockError):
    """A valid plan that the chosen target cannot run; `problems` has every reason at once."""

    id = "unsupported"
    problems: tuple[Problem, ...]

    def __init__(
        self, message: str, problems: tuple[Problem, ...], *, hint: str | None = None, id: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, problems=problems, id=id)


class RunFailed(CrossdockError):
    """A run that ended in another state than success."""

    exit_code = 1
    id = "run-failed"


class StoreError(CrossdockError):
    """The artifact store refused, cannot be reached, or holds damaged bytes."""

    exit_code = 3
    id = "store-failed"


class PlatformError(CrossdockError):
    """A platform (a container engine, a registry, a vendor's service) refused, or cannot be reached."""

    exit_code = 3
    id = "platform-failed"


def with_id(text: str, id: str) -> str:
    """A message with its id behind the first line."""
    first, newline, rest = text.partition("\n")
    return f"{first} [{id}]{newline}{rest}"


def _listed(problem: CrossdockError | Problem, id: str) -> str:
    """A problem as it is listed below an error, with its id where that says more."""
    return problem.text(ids=problem.id not in (None, id))


E = TypeVar("E", bound=CrossdockError)


def together(kind: type[E], what: str, problems: Sequence[E]) -> E:
    """One error for all problems: the only one itself, else one that lists them."""
    if len(problems) == 1:
        return problems[0]
    return kind(f"{what}: {len(problems)} problems", problems=problems)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: the nearest, and what there is."""
    import difflib

    names = tuple(known)
    near = difflib.get_close_matches(name, names, 1)
    listed = f"there is: {', '.join(names)}" if names else "there is none"
    return f"did you mean {near[0]!r}? {listed}" if near else listed
