"""Run a plan on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crossdock.stacks import RunHandle, RunOptions, Stack
from crossdock_runtime import isolate
from crossdock_runtime.context import RunContext
from crossdock_runtime.driver import Driver
from crossdock_runtime.launch import Here, Workers
from crossdock_runtime.loading import Project
from crossdock_runtime.record import RunRecord
from crossdock_runtime.state import read_state
from crossdock_runtime.store import Store


def submit(stack: Stack, options: RunOptions, max_workers: int, apart: frozenset[str]) -> RunHandle:
    """Run every task; returns when the run has ended.

    Args:
        stack: where artifacts and records go.
        options: what is run.
        max_workers: tasks at once; with 1 they run in this process.
        apart: ids of tasks that run in a process of their own.
    """
    store, plan = stack.artifact_store.open(), options.plan
    record = RunRecord(store, options.run)
    resume = (record.document() or {}).get("resume_from")
    project = Project(Path(options.project_root), plan.source.python_path) if options.project_root else None
    context = RunContext(
        store=store,
        plan=plan,
        run=record,
        parameters=options.parameters,
        project=project,
        resume_from=RunRecord(store, resume) if resume else None,
        cache=options.cache,
        apart=apart,
    )
    if max_workers > 1 or apart or any(task.settings.timeout is not None for task in plan.tasks):
        isolate.preload(options.modules, project)
    Driver(context, Workers(context, max_workers) if max_workers > 1 else Here(context), options.on_event).run()
    return RunHandle("local", options.run, {"store": store.url})


def status(handle: RunHandle) -> str:
    """How the run stands, by its record."""
    return read_state(Store.open(handle.details["store"]), handle.native_id).status


def logs(handle: RunHandle, task: str) -> Iterator[str]:
    """Lines of a task's log, attempt by attempt."""
    store = Store.open(handle.details["store"])
    record = RunRecord(store, handle.native_id)
    for item in read_state(store, handle.native_id).tasks:
        if task in (item.task, item.name):
            facts = record.task(item.task, item.index)
            for attempt in facts.attempts():
                yield from b"".join(facts.log_chunks(attempt)).decode("utf-8", "replace").splitlines()


def cancel(handle: RunHandle) -> None:
    """Ask the run to end."""
    RunRecord(Store.open(handle.details["store"]), handle.native_id).cancel()
