"""What the tasks of a run share in one process, and what comes of a task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crossdock.dsl.frozen import frozen
from crossdock.dsl.step import Step
from crossdock_runtime import failure
from crossdock_runtime.contract import Plan, PythonCode, Task
from crossdock_runtime.failure import Cause
from crossdock_runtime.inputs import Resolved, Resolver
from crossdock_runtime.loading import Project
from crossdock_runtime.program_steps import RunProgram
from crossdock_runtime.record import Index, Result, RunRecord, TaskRecord
from crossdock_runtime.steps import step_of
from crossdock_runtime.store import Store

if TYPE_CHECKING:
    from crossdock.dsl.pipeline import RunStatus


@dataclass(slots=True)
class RunContext:
    """What every task of a run shares in one process.

    Attributes:
        parameters: tagged values of the pipeline's parameters.
        resume_from: the run whose results are adopted.
        cache: False looks nothing up; results are still kept for later runs.
        listen: is given (task, index, line) for each line that a task prints.
        isolated: this process was made for one attempt, which needs no other.
        own_process: nothing but tasks prints here: what programs and libraries print is the task's log too.
        remember: False keeps results out of the cache.
        apart: ids of the tasks that run in a process of their own.
        run_program: runs the programs of container steps; None runs them on this machine.
        reads: the run whose results are read, where it is another one than `run`: a replay.
    """

    store: Store
    plan: Plan
    run: RunRecord
    parameters: Mapping[str, Any] = field(default_factory=dict)
    project: Project | None = None
    resume_from: RunRecord | None = None
    cache: bool = True
    native_id: str | None = None
    listen: Callable[[str, Index, str], None] | None = None
    isolated: bool = False
    own_process: bool = False
    remember: bool = True
    apart: frozenset[str] = frozenset()
    run_program: RunProgram | None = None
    reads: RunRecord | None = None
    _resolver: Resolver | None = field(default=None, init=False, repr=False)
    _steps: dict[str, Step[Any, Any]] = field(default_factory=dict, init=False, repr=False)

    def resolver(self) -> Resolver:
        """Resolves the bindings of this run."""
        if self._resolver is None:
            self._resolver = Resolver(self.store, self.plan, self.reads or self.run, self.parameters, self._status)
        return self._resolver

    def step(self, code: PythonCode) -> Step[Any, Any]:
        """A step, imported once: a run sees the user's files in one state.

        Raises:
            TaskFailed: it cannot be imported here.
        """
        found = self._steps.get(code.ref)
        if found is None:
            found = self._steps[code.ref] = step_of(code, self.project)
        return found

    def _status(self) -> RunStatus:
        from crossdock_runtime.state import exit_status

        return exit_status(self.resolver())


@frozen
class Outcome:
    """How a task ended, as whoever started it is told.

    Attributes:
        state: one of `record.STATES`.
        result: what was committed, if anything was.
        cause: why it failed.
        seconds: how long it took.
        attempts: how many attempts there were.
    """

    state: str
    result: Result | None = None
    cause: Cause | None = None
    seconds: float = 0.0
    attempts: int = 0

    @property
    def exit_code(self) -> int:
        """The runtime's exit code for it."""
        return self.cause.exit_code if self.cause else failure.DONE


@frozen
class Ready:
    """A task that has to run: its inputs, and what its result will depend on."""

    task: Task
    index: Index
    record: TaskRecord
    inputs: Mapping[str, Resolved]
    fields: Mapping[str, str]
    key: str
