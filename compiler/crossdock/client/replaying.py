"""Run one task of a run again: in this process, or in the task's own image where the stack has containers here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from crossdock.client.starting import publish
from crossdock.dsl.errors import BadInput
from crossdock.passes.load import Loaded

if TYPE_CHECKING:
    from crossdock.ir import Plan
    from crossdock.review.again import Chosen
    from crossdock.stacks import Stack
    from crossdock_runtime.context import Outcome
    from crossdock_runtime.driver import Event


def replay(
    stack: Stack,
    run: str,
    name: str,
    load_again: Callable[[Mapping[str, Any]], Loaded],
    on_event: Callable[[Event], None] | None,
    tell: Callable[[str], None],
) -> tuple[str, Outcome]:
    """Run one task of a run again; the id of the scratch run, and how it ended.

    Args:
        stack: its store has the run. Where its orchestrator can, the task runs in its image.
        run: the run.
        name: `task`, or `task.0.3` for an item of a map.
        load_again: imports the pipeline of a run's record.
        on_event: is told what happens.
        tell: is given each line of a build.

    Raises:
        BadInput: there is no such task, or its inputs are not there.
        PlatformError: the platform refuses, or cannot be reached.
    """
    from crossdock.review import again
    from crossdock.stacks import CanReplay, RunOptions

    chosen = again.choose(stack.artifact_store.open(), run, name)
    orchestrator = stack.orchestrator
    if not isinstance(orchestrator, CanReplay):
        return again.replay(chosen, load_again(chosen.document), on_event)
    plan = _with_image(chosen, stack, load_again, tell)
    scratch = chosen.scratch(plan)
    options = RunOptions(
        run=scratch.id,
        plan=plan,
        parameters=chosen.parameters,
        cache=False,
        on_event=on_event,
        project_root=chosen.document.get("project_root"),
    )
    spec = orchestrator.translate(plan, stack)
    return scratch.id, orchestrator.replay(spec, stack, options, chosen.task.id, chosen.index)


def _with_image(
    chosen: Chosen, stack: Stack, load_again: Callable[[Mapping[str, Any]], Loaded], tell: Callable[[str], None]
) -> Plan:
    """The run's own plan where it says in which image the task runs, else the present one, built for the stack."""
    from crossdock.ir import Program
    from crossdock.review.build import build
    from crossdock.review.packaging import Packaged
    from crossdock.stacks import ContainerConfig

    plan, task = chosen.plan, chosen.task
    if isinstance(task.code, Program) or (plan.packaging is not None and plan.image_of(task)):
        return plan
    loaded = load_again(chosen.document)
    packaged = Packaged(loaded.plan)
    if isinstance(stack.orchestrator.config, ContainerConfig):
        packaged = build(loaded, stack, tell).packaged
    if task.id not in packaged.plan.by_id:
        raise BadInput(
            f"the pipeline has no task {task.id!r} any more",
            hint=f"check out the commit of run {chosen.run}, or replay it on a stack that runs here",
            id="unknown-task",
        )
    publish(chosen.store, packaged.plan, packaged.code)
    return packaged.plan
