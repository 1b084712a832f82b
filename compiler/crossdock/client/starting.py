"""Start a run: the one way that `run`, `resume` and `submit` take."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossdock.client.runs import failure_of
from crossdock.client.watching import follow
from crossdock.dsl.errors import BadInput, RunFailed, UnsupportedError
from crossdock.dsl.frozen import frozen

if TYPE_CHECKING:
    from crossdock.ir import Plan
    from crossdock.passes.load import Loaded
    from crossdock.review.code_package import CodePackage
    from crossdock.review.packaging import Packaged
    from crossdock.stacks import CanRun, CanSchedule, Schedule, Spec, Stack
    from crossdock_runtime.driver import Event
    from crossdock_runtime.store import Store

_RUN_ID = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_TAG = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:=-]*[A-Za-z0-9])?")


@frozen
class Order:
    """What is to be started.

    Attributes:
        parameters: tagged values of all pipeline parameters.
        plan: with its packaging, as the stack's tasks find it.
        code: the code package that the plan names, where the store may not have it yet.
        spec: those bytes; None translates the plan.
        source: SOURCE relative to the project's root, for the record.
        root: the project's root on this machine.
        modules: modules of the user's code.
        locations: `file:line` of each task, where it is known.
        resume: id of the run whose results are adopted.
        run_id: a fixed id; None makes a new one.
        confirm: what the user confirmed.
        reviewed: whether it is an exported bundle.
        wait: follow a run elsewhere until it has ended.
        tags: names to find the run by.
    """

    plan: Plan
    parameters: Mapping[str, Any]
    spec: Spec | None = None
    code: CodePackage | None = None
    source: str | None = None
    root: Path | None = None
    modules: tuple[str, ...] = ()
    locations: Mapping[str, str] = field(default_factory=dict)
    cache: bool = True
    max_workers: int = 1
    resume: str | None = None
    run_id: str | None = None
    on_event: Callable[[Event], None] | None = None
    confirm: str | None = None
    reviewed: bool = False
    wait: bool = False
    tags: tuple[str, ...] = ()


def start(stack: Stack, order: Order, *, raise_on_failure: bool) -> tuple[Store, str]:
    """Start a run; its store and its id.

    Raises:
        BadInput: the stack refuses it, its orchestrator cannot start runs, or the run id cannot be taken.
        RunFailed: it has ended otherwise than well, if that is to raise.
    """
    from crossdock.stacks import RunOptions
    from crossdock_runtime.record import RunRecord, new_run_id
    from crossdock_runtime.state import find_run, read_state

    plan, orchestrator = order.plan, check_runs(stack)
    given = order.run_id
    if given is not None and (len(given) > 63 or not _RUN_ID.fullmatch(given)):
        hint = "at most 63 letters, digits, '-', '_' and '.'; the first and the last a letter or digit"
        raise BadInput(f"{given!r} is no run id", hint=hint, id="bad-run-id")
    tags = checked_tags(order.tags)
    refuse(stack, order)
    store = stack.artifact_store.open()
    spec = order.spec or stack.orchestrator.translate(plan, stack)
    orchestrator.preflight(spec, stack)
    publish(store, plan, order.code)
    run = given or new_run_id()
    document: dict[str, Any] = {
        "pipeline": plan.name,
        "plan": plan.digest,
        "parameters": dict(order.parameters),
        "cache": order.cache,
        "source": order.source,
        "project_root": None if order.root is None else str(order.root),
        "orchestrator": stack.orchestrator.flavor,
    }
    if order.resume is not None:
        document["resume_from"] = find_run(store, order.resume)
        tags = tags or (RunRecord(store, document["resume_from"]).document() or {}).get("tags", ())
    if tags:
        document["tags"] = list(tags)
    if not RunRecord(store, run).create(document):
        raise BadInput(f"there is a run {run!r} already", hint="leave --run-id out", id="run-id-taken")
    options = RunOptions(
        run=run,
        plan=plan,
        parameters=order.parameters,
        cache=order.cache,
        max_workers=order.max_workers,
        on_event=order.on_event,
        modules=order.modules,
        project_root=document["project_root"],
    )
    try:
        handle = orchestrator.submit(spec, stack, options)
    except BaseException:
        RunRecord(store, run).end("failed")  # nothing of it will run: it is not to be waited for
        raise
    RunRecord(store, run).add_handle(handle.flavor, handle.native_id, handle.details)
    if order.wait and stack.orchestrator.remote:  # on this machine, submit returns when it has ended
        status = follow(stack, store, run, order.on_event)
    else:
        status = orchestrator.status(handle, stack).status
    if status not in ("succeeded", "running") and raise_on_failure:
        why = failure_of(read_state(store, run))
        raise RunFailed(f"run {run} {status}: {why}", hint=f"crossdock runs show {run}")
    return store, run


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags of a run, sorted, each once.

    Raises:
        BadInput: one is no name.
    """
    found = (tags,) if isinstance(tags, str) else tuple(tags)
    for tag in found:
        if not isinstance(tag, str) or len(tag) > 63 or not _TAG.fullmatch(tag):
            hint = "at most 63 letters, digits, '-', '_', '.', ':' and '='; the first and the last a letter or digit"
            raise BadInput(f"{tag!r} is no tag", hint=hint, id="bad-tag")
    return tuple(sorted(set(found)))


def start_schedule(stack: Stack, order: Order, cron: str) -> Schedule:
    """Let the stack's platform start runs by the clock.

    Raises:
        BadInput: the stack refuses it, its platform has no schedules, or the expression is none.
        PlatformError: the platform cannot be reached, or refuses.
    """
    from crossdock.stacks import RunOptions

    plan, orchestrator = order.plan, check_schedules(stack)
    if len(cron.split()) != 5:
        hint = "write minute, hour, day, month and weekday, such as '0 3 * * *'; the time is UTC"
        raise BadInput(f"{cron!r} is no cron expression of five fields", hint=hint, id="bad-cron")
    refuse(stack, order)
    store = stack.artifact_store.open()
    spec = order.spec or stack.orchestrator.translate(plan, stack)
    check_runs(stack).preflight(spec, stack)
    publish(store, plan, order.code)
    options = RunOptions(run="", plan=plan, parameters=order.parameters, cache=order.cache)
    return orchestrator.schedule(spec, stack, options, cron)


def check_schedules(stack: Stack) -> CanSchedule:
    """The stack's orchestrator, as one that has schedules.

    Raises:
        BadInput: it has none.
    """
    from crossdock.stacks import CanSchedule

    orchestrator = stack.orchestrator
    if not isinstance(orchestrator, CanSchedule):
        raise BadInput(
            f"orchestrator {orchestrator.flavor!r} has no schedules",
            hint="let cron, or a workflow of your CI, call: crossdock submit",
            id="no-schedules",
        )
    return orchestrator


def check_runs(stack: Stack) -> CanRun:
    """The stack's orchestrator, as one that starts runs.

    Raises:
        BadInput: it cannot.
    """
    from crossdock.stacks import CanRun

    orchestrator = stack.orchestrator
    if not isinstance(orchestrator, CanRun):
        raise BadInput(
            f"orchestrator {orchestrator.flavor!r} cannot start runs yet",
            hint=f"crossdock export SOURCE --stack {stack.name} -o DIR writes what it runs; compile and check work too",
            id="cannot-start-runs",
        )
    return orchestrator


def prepared(loaded: Loaded, stack: Stack, confirm: str | None, tell: Callable[[str], None] | None) -> Packaged | None:
    """What a pipeline's tasks run in on a stack, built where it is not there; None where they run in no containers.

    Raises:
        BadInput: the stack refuses the pipeline, or its images cannot be built.
        PlatformError: the engine or the registry refuses, or cannot be reached.
    """
    from crossdock.stacks import ContainerConfig

    check_runs(stack)
    refuse(stack, Order(loaded.plan, {}, root=loaded.root, locations=loaded.traced.locations, confirm=confirm))
    if not isinstance(stack.orchestrator.config, ContainerConfig):
        return None
    from crossdock.review.build import build

    return build(loaded, stack, tell or (lambda line: None)).packaged


def refuse(stack: Stack, order: Order) -> None:
    """Hold an order against the stack's guardrails.

    Raises:
        BadInput: they refuse it; has every reason at once.
        UnsupportedError: it asks for more than the stack's limits.
    """
    from crossdock.stacks.guardrails import check_submit, over_limits

    check_submit(stack, confirm=order.confirm, reviewed=order.reviewed, source=order.root)
    over = (
        tuple(over_limits(order.plan, stack.guardrails.limits, order.locations)) if stack.guardrails is not None else ()
    )
    if over:
        raise UnsupportedError(f"stack {stack.name!r} does not take {order.plan.name!r}", over)


def publish(store: Store, plan: Plan, code: CodePackage | None = None) -> str:
    """Put a plan into the store under its digest, its code before it; returns the plan's key.

    The plan is written even where it is there: it may be damaged, and `gc` takes what is old for what nobody needs.

    Raises:
        BadInput: a file of the code was changed since it was packed.
    """
    if code is not None:
        _publish_code(store, code)
    key = f"plans/{plan.digest}.json"
    store.replace(key, plan.to_json().encode())
    if code is not None:
        _publish_code(store, code)  # `gc` may have taken it before a plan named it
    return key


def _publish_code(store: Store, code: CodePackage) -> None:
    import tempfile

    from crossdock_runtime.code import code_key

    key = code_key(code.digest)
    if not store.exists(key):
        with tempfile.TemporaryDirectory(prefix="crossdock-code-") as scratch:
            archive = Path(scratch, "code.zip")
            code.write(archive)
            store.upload(key, archive)
