"""What orchestrators share whose runs are driven by a process of this machine: the record is all there is to ask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crossdock.stacks import CanRun, NativeRun, RunHandle, RunOptions, Stack
from crossdock_runtime.context import RunContext
from crossdock_runtime.loading import Project
from crossdock_runtime.record import RunRecord
from crossdock_runtime.state import read_state


class Driven(CanRun):
    """Runs that are driven from here: `submit` returns when they have ended, and the record says how they stand."""

    def status(self, handle: RunHandle, stack: Stack) -> NativeRun:
        """How the run stands, by its record."""
        return NativeRun(read_state(stack.artifact_store.open(), handle.native_id).status)

    def logs(self, handle: RunHandle, stack: Stack, task: str, follow: bool = False) -> Iterator[str]:
        """Lines of a task's log; of each of its items where it is mapped. There is nothing to follow: it has ended."""
        store = stack.artifact_store.open()
        record = RunRecord(store, handle.native_id)
        for item in read_state(store, handle.native_id).tasks:
            if task in (item.task, item.name):
                facts = record.task(item.task, item.index)
                for attempt in facts.attempts():
                    yield from b"".join(facts.log_chunks(attempt)).decode("utf-8", "replace").splitlines()

    def cancel(self, handle: RunHandle, stack: Stack) -> None:
        """The record says it: the process that runs the tasks looks there every second."""
        RunRecord(stack.artifact_store.open(), handle.native_id).cancel()


def context_of(stack: Stack, options: RunOptions) -> RunContext:
    """The run as the process that drives it sees it."""
    store, plan = stack.artifact_store.open(), options.plan
    record = RunRecord(store, options.run)
    document = record.document() or {}
    resume, replay_of = document.get("resume_from"), document.get("replay_of")
    return RunContext(
        store=store,
        plan=plan,
        run=record,
        parameters=options.parameters,
        project=Project(Path(options.project_root), plan.source.python_path) if options.project_root else None,
        resume_from=RunRecord(store, resume) if resume else None,
        cache=options.cache,
        remember=not replay_of,
        reads=RunRecord(store, replay_of) if replay_of else None,
    )
