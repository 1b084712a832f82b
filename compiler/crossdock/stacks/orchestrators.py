"""What an orchestrator offers: each translates; those that can start runs, watch, schedule and replay them, too."""

from __future__ import annotations

import abc
import builtins
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

from crossdock.dsl.errors import Problem
from crossdock.dsl.frozen import frozen
from crossdock.ir import Feature, Plan, Rule, Support
from crossdock.stacks.base import C, Stack, StackComponent, TaskOverrides

if TYPE_CHECKING:
    from crossdock_runtime.context import Outcome


@frozen
class Spec:
    """What an adapter makes of a plan: text files in the target's own format.

    Attributes:
        target: the flavor's name.
        files: file name to text, in the order they are to be read; the first is the main one.
    """

    target: str
    files: Mapping[str, str]

    @property
    def main(self) -> str:
        """Text of the main file."""
        return next(iter(self.files.values()))


@frozen
class RunHandle:
    """The native run that a submit started: the flavor, its own id, and what else its client needs to find it."""

    flavor: str
    native_id: str
    details: Mapping[str, str] = field(default_factory=dict)


@frozen
class NativeTask:
    """A task as its platform sees it.

    Attributes:
        state: in the shared vocabulary: pending, running, succeeded, failed, skipped, cancelled.
        kind: why it failed, a key of `failure.KINDS`; empty where the platform does not say.
        message: in the platform's own words.
    """

    state: str
    kind: str = ""
    message: str = ""


@frozen
class NativeRun:
    """A run as its platform sees it: where an image cannot be pulled, or a node is gone, nothing of ours could say so.

    Attributes:
        status: running, succeeded, failed, cancelled or lost. A run that is paused, or waits, is running.
        message: in the platform's own words.
        tasks: by `task`, or `task.0.3` for an item; those that it knows.
    """

    status: str
    message: str = ""
    tasks: Mapping[str, NativeTask] = field(default_factory=dict)


@frozen
class Schedule:
    """What starts runs of a pipeline by the clock.

    Attributes:
        id: the platform's.
        cron: as the platform keeps it.
        url: where the vendor's console shows it.
    """

    id: str
    pipeline: str
    cron: str
    paused: bool = False
    url: str | None = None


@frozen
class RunOptions:
    """What one submit asks for, beside the spec.

    Attributes:
        run: the run id, minted by the caller.
        plan: what the spec was made of; it is in the store.
        parameters: tagged values of all pipeline parameters.
        cache: False runs every task.
        max_workers: tasks at once, where we do the scheduling.
        on_event: told what happens, for the display; None for nobody.
        modules: modules of the user's code that worker processes load ahead.
        project_root: folder of the user's code on this machine.
    """

    run: str
    plan: Plan
    parameters: Mapping[str, Any] = field(default_factory=dict)
    cache: bool = True
    max_workers: int = 1
    on_event: Callable[[Any], None] | None = None
    modules: tuple[str, ...] = ()
    project_root: str | None = None


class Orchestrator(StackComponent[C], abc.ABC):
    """Translates plans to native specs, submits them, and watches native runs.

    Attributes:
        features: the support for every member of `Feature`; each hole with its reason.
        rules: holes that are combinations of features.
        Overrides: the model of `targets={"<flavor>": …}` on a step.
        remote: whether tasks run on another machine than the one that submits.
        local_images: whether its tasks run on this machine's container engine, so that an image need be in no registry.
        store_schemes: the schemes of the artifact stores that its tasks can read and write.
    """

    type = "orchestrator"
    features: ClassVar[Mapping[Feature, Support]]
    rules: ClassVar[Iterable[Rule]] = ()
    Overrides: ClassVar[builtins.type[TaskOverrides]] = TaskOverrides
    remote: ClassVar[bool] = True
    local_images: ClassVar[bool] = False
    store_schemes: ClassVar[tuple[str, ...]] = ("s3", "gs", "az", "abfs")

    @abc.abstractmethod
    def translate(self, plan: Plan, stack: Stack | None = None) -> Spec:
        """The native spec of a plan: pure, no SDK, no network, no clock.

        Args:
            plan: after the passes.
            stack: None writes marked placeholders for what a stack would say.
        """

    def warnings(self, spec: Spec) -> Iterable[Problem]:
        """What to know of a spec that this orchestrator wrote, although it can be run; told when it is compiled."""
        return ()

    def reachable(self) -> None:
        """Ask the platform whether it is there, for `crossdock doctor`.

        Raises:
            PlatformError: it does not answer, or refuses.
        """


class CanRun(abc.ABC):
    """An orchestrator that can start a run of a spec, and be asked about it."""

    def preflight(self, spec: Spec, stack: Stack) -> None:  # noqa: B027 - not every platform can be asked beforehand
        """Whether a run of a spec could start now; asked before anything of it is written.

        Raises:
            PlatformError: the platform cannot be reached, or refuses.
            BadInput: it lacks what the spec needs.
        """

    @abc.abstractmethod
    def submit(self, spec: Spec, stack: Stack, options: RunOptions) -> RunHandle:
        """Start a run of a spec, byte for byte; without a server of its own, it returns when the run has ended."""

    @abc.abstractmethod
    def status(self, handle: RunHandle, stack: Stack) -> NativeRun:
        """How the native run stands now.

        Raises:
            PlatformError: the platform cannot be reached, or refuses.
        """

    def url(self, handle: RunHandle, stack: Stack) -> str | None:
        """Where the vendor's own console shows the run; asks nobody."""
        return None

    @abc.abstractmethod
    def logs(self, handle: RunHandle, stack: Stack, task: str, follow: bool = False) -> Iterator[str]:
        """Lines of a task's log."""

    @abc.abstractmethod
    def cancel(self, handle: RunHandle, stack: Stack) -> None:
        """Ask the run to end."""


class CanSchedule(abc.ABC):
    """An orchestrator whose platform starts runs by the clock; each derives its run id from the native run."""

    @abc.abstractmethod
    def schedule(self, spec: Spec, stack: Stack, options: RunOptions, cron: str) -> Schedule:
        """Start runs of a spec by a cron expression of five fields, in UTC; `options.run` is not used.

        Raises:
            BadInput: the platform takes no such expression.
            PlatformError: it cannot be reached, or refuses.
        """

    @abc.abstractmethod
    def schedules(self, stack: Stack, pipeline: str | None = None) -> list[Schedule]:
        """The schedules that we made, of one pipeline where it is named."""

    @abc.abstractmethod
    def pause_schedule(self, stack: Stack, schedule: str) -> None:
        """Start no further runs, until it is resumed."""

    @abc.abstractmethod
    def resume_schedule(self, stack: Stack, schedule: str) -> None:
        """Start runs again."""

    @abc.abstractmethod
    def delete_schedule(self, stack: Stack, schedule: str) -> None:
        """Remove it; its runs stay."""


class CanCheckSpecs(abc.ABC):
    """An orchestrator that finds what is wrong with a native spec, whoever wrote it."""

    @abc.abstractmethod
    def reads(self, name: str, text: str) -> bool:
        """Whether a file looks like a spec of this target."""

    @abc.abstractmethod
    def check_spec(self, name: str, text: str) -> list[Problem]:
        """Everything that is wrong with a spec; `where` of each is a place in the file. No network, no SDK."""


class CanReplay(abc.ABC):
    """An orchestrator that can run one task again on this machine, in the task's own image."""

    @abc.abstractmethod
    def replay(self, spec: Spec, stack: Stack, options: RunOptions, task: str, index: tuple[int, ...]) -> Outcome:
        """Run one task of a spec; `options.run` is the scratch run, whose record says what it is a replay of.

        Raises:
            PlatformError, BadInput: see `CanRun.preflight`.
        """
