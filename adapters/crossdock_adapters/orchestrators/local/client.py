"""Run a plan on this machine."""

from __future__ import annotations

from crossdock.stacks import RunHandle, RunOptions, Stack
from crossdock_adapters.orchestrators._driven import context_of
from crossdock_runtime import isolate
from crossdock_runtime.driver import Driver
from crossdock_runtime.launch import Here, Workers


def submit(stack: Stack, options: RunOptions, max_workers: int, apart: frozenset[str]) -> RunHandle:
    """Run every task; returns when the run has ended.

    Args:
        stack: where artifacts and records go.
        options: what is run.
        max_workers: tasks at once; with 1 they run in this process.
        apart: ids of tasks that run in a process of their own.
    """
    context = context_of(stack, options)
    context.apart = apart
    if max_workers > 1 or apart or any(task.settings.timeout is not None for task in options.plan.tasks):
        isolate.preload(options.modules, context.project)
    Driver(context, Workers(context, max_workers) if max_workers > 1 else Here(context), options.on_event).run()
    return RunHandle("local", options.run)
