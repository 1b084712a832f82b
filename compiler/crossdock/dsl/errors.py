"""What can go wrong, drawn as a tree.

CrossdockError            exit 2    wrong usage or input
├── TraceError                      wrong use of a step, a pipeline or a control-flow construct
├── PlanError                       a plan that breaks a rule of the IR
├── UnsupportedError                a valid plan that the chosen target cannot run
├── BadInput                        a file, parameter, name or URI that cannot be used
├── RunFailed             exit 1    a valid pipeline whose run failed
└── StoreError            exit 3    the artifact store refused, is unreachable, or holds damaged bytes
"""

from __future__ import annotations

from typing import ClassVar


class CrossdockError(Exception):
    """An error that a user can act on.

    Args:
        message: what happened, and why.
        where: `file:line` of the user's code, where there is one.
        hint: what to type or change next.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  hint: {self.hint}" if self.hint else text


class TraceError(CrossdockError):
    """Wrong use of a step, a pipeline or a control-flow construct, found while tracing."""


class PlanError(CrossdockError):
    """A plan that breaks a rule of the intermediate representation."""


class BadInput(CrossdockError):
    """A file, a parameter, a name or a URI that cannot be used."""


class Problem:
    """One thing that a target cannot do with a plan.

    Attributes:
        task: id of the task, or None when it concerns the whole pipeline.
        message: what is not supported, and why not.
        where: `file:line` of the task.
        hint: what to do instead.
    """

    __slots__ = ("hint", "message", "task", "where")

    def __init__(
        self, message: str, *, task: str | None = None, where: str | None = None, hint: str | None = None
    ) -> None:
        self.message = message
        self.task = task
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.where, f"task {self.task!r}" if self.task else None) if part)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}\n  hint: {self.hint}" if self.hint else text

    def __repr__(self) -> str:
        return f"Problem({str(self)!r})"


class UnsupportedError(CrossdockError):
    """A valid plan that the chosen target cannot run; `problems` has every reason at once."""

    def __init__(self, message: str, problems: tuple[Problem, ...], *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems

    def __str__(self) -> str:
        lines = [self.message, *(f"- {problem}" for problem in self.problems)]
        return "\n".join(lines) + (f"\n  hint: {self.hint}" if self.hint else "")


class RunFailed(CrossdockError):
    """A run that ended in another state than success."""

    exit_code = 1


class StoreError(CrossdockError):
    """The artifact store refused, cannot be reached, or holds damaged bytes."""

    exit_code = 3


def did_you_mean(name: str, known: tuple[str, ...]) -> str:
    """A hint for an unknown name: the nearest, and what there is."""
    import difflib

    near = difflib.get_close_matches(name, known, 1)
    listed = f"there is: {', '.join(known)}" if known else "there is none"
    return f"did you mean {near[0]!r}? {listed}" if near else listed
