"""Run a plan on this machine."""

from __future__ import annotations

from pathlib import Path

from crossdock.ir import Plan
from crossdock.stacks import RunHandle, RunOptions, Stack
from crossdock_runtime import isolate
from crossdock_runtime.driver import Driver
from crossdock_runtime.execute import RunContext
from crossdock_runtime.loading import Project
from crossdock_runtime.record import RunRecord


def submit(plan: Plan, stack: Stack, options: RunOptions) -> RunHandle:
    """Run every task; returns when the run has ended."""
    store = stack.artifact_store.open()
    record = RunRecord(store, options.run)
    document = record.document() or {}
    project = Project(Path(options.project_root), plan.source.python_path) if options.project_root else None
    resume = document.get("resume_from")
    context = RunContext(
        store=store,
        plan=plan,
        run=record,
        parameters=options.parameters,
        project=project,
        resume_from=RunRecord(store, resume) if resume else None,
        cache=options.cache,
    )
    workers = max(options.max_workers, stack.orchestrator.config.max_workers)
    if workers > 1 or any(task.settings.timeout is not None for task in plan.tasks):
        isolate.preload(options.modules, project)
    driver = Driver(context, workers, options.on_event)
    status = driver.run()
    return RunHandle("local", options.run, {"status": status})
