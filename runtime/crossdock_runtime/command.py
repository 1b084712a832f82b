"""The constant command that runs one task on every target (EXECUTION.md, "The command")."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput, CrossdockError, StoreError
from crossdock_runtime import failure
from crossdock_runtime.context import Outcome, RunContext
from crossdock_runtime.contract import CONTRACT, MapScope, Plan
from crossdock_runtime.emit import emitted, item_numbers
from crossdock_runtime.execute import run_task
from crossdock_runtime.failure import INFRASTRUCTURE, Cancelled, TaskFailed, cause_of
from crossdock_runtime.inputs import Skip
from crossdock_runtime.loading import Project
from crossdock_runtime.options import USAGE, Options, read_options, take_store_options
from crossdock_runtime.record import Index, RunRecord, derived_run_id, new_run_id, now
from crossdock_runtime.redaction import blank
from crossdock_runtime.store import Store
from crossdock_runtime.values import digest


def _plan(text: str) -> tuple[Store, Plan]:
    head, found, name = text.rpartition("/plans/")
    if not found or not name.endswith(".json"):
        raise BadInput(f"--plan {text!r} is not <store>/plans/<sha256>.json")
    store = Store.open(os.path.expandvars(head), take_store_options(os.environ))
    data = store.read(f"plans/{name}")
    if digest(data) != f"sha256:{name.removesuffix('.json')}":
        raise BadInput(f"the plan at {text!r} is not the one that its name says", hint="crossdock publish")
    return store, Plan.from_json(data)


def _root(store: Store, plan: Plan) -> Path:
    """The folder of the user's code: that of the plan's code package, else where the image says, else this one."""
    if plan.packaging is not None and plan.packaging.code is not None:
        from crossdock_runtime.code import fetch_code

        return fetch_code(store, plan.packaging.code)
    return Path(os.environ.get("CROSSDOCK_PROJECT", ".")).absolute()


def _index(text: str) -> Index:
    try:
        return tuple(int(part) for part in text.split(".")) if text else ()
    except ValueError:
        raise BadInput(f"--index {text!r} is not item numbers such as 0.3") from None


def _record(store: Store, plan: Plan, run: str, native: str) -> RunRecord:
    """The record of the run: by its id, else by that of the native run, which a clone of a run does not share."""
    found = run or (derived_run_id(native) if native else new_run_id())
    record = RunRecord(store, found)
    if native and record.fix_native(native) != native:
        record = RunRecord(store, derived_run_id(native))
        record.fix_native(native)
    record.create({"pipeline": plan.name, "plan": plan.digest, "parameters": {}, "cache": True, "origin": "native"})
    return record


def _parameters(plan: Plan, record: RunRecord, given: Sequence[str]) -> dict[str, Any]:
    """Tagged values: what the platform gives wins over the record, and that over the defaults."""
    from crossdock_runtime.parameters import parse_native

    found = record.parameters(plan.parameters)
    before = dict(found)
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in plan.parameters:
            raise BadInput(f"--param {text!r} names no parameter of the pipeline")
        found[name] = parse_native(value, plan.parameters[name])
        if name not in before or found[name] != before[name]:
            record.add_parameter(name, found[name])
    return found


def _terminated(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: a second one would cut off what the first recorded
    raise Cancelled("terminated")


def _run(argv: Sequence[str] | None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if any(word in ("-h", "--help") for word in words[:1]):
        print(USAGE, end="")
        return failure.DONE
    options = read_options(words, os.environ)
    if options.contract != str(CONTRACT):
        spoken = int(options.contract) if options.contract.isdecimal() else 0
        older = "the image" if spoken > CONTRACT else "the spec"
        raise BadInput(
            f"the spec speaks contract {options.contract or None}, this image {CONTRACT}: {older} is the older side",
            hint="compile and build with the same version of crossdock",
        )
    if not options.plan or not (options.task or options.items):
        raise BadInput("--plan and --task are needed")
    store, plan = _plan(options.plan)
    scope = plan.scopes.get(options.items)
    task = plan.by_id.get(options.task)
    if options.items and not isinstance(scope, MapScope):
        raise BadInput(f"the plan has no map {options.items!r}")
    if task is None and not options.items:
        raise BadInput(f"the plan has no task {options.task!r}")
    record = _record(store, plan, options.run, options.native_id)
    document = record.document() or {}
    resume, replay_of = document.get("resume_from"), document.get("replay_of")
    project = Project(_root(store, plan), plan.source.python_path)
    project.activate()  # parameters and inputs may be of the user's classes

    out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")

    def listen(name: str, index: Index, text: str) -> None:
        place = ".".join([name, *map(str, index)])
        out.write(f"{now()} {place} | {text}\n")
        out.flush()

    context = RunContext(
        store,
        plan,
        record,
        _parameters(plan, record, options.param),
        project,
        RunRecord(store, resume) if resume else None,
        document.get("cache", True),
        options.native_id or None,
        listen,
        own_process=True,
        remember=not replay_of,
        reads=RunRecord(store, replay_of) if replay_of else None,
    )
    if task is None:
        assert isinstance(scope, MapScope)
        for text in options.emit:
            _tell(text, item_numbers(context, scope, _index(options.index)))
        return failure.DONE
    outcomes = [_one(context, task.id, index) for index in _items(context, task.id, options)]
    codes = [outcome.exit_code for outcome in outcomes]
    for text in () if any(codes) else options.emit:
        _tell(text, emitted(context, task, _index(options.index), text.partition("=")[0]))
    if options.executor_input and not any(codes):
        from crossdock_runtime.executor_output import write_references

        write_references(context, task, _index(options.index), options.executor_input)
    return next((code for code in codes if code), failure.DONE)


def _tell(emit: str, text: str) -> None:
    place = Path(emit.partition("=")[2])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def _items(context: RunContext, task: str, options: Options) -> list[Index]:
    if not options.shard:
        index, maps = _index(options.index), len(context.plan.maps_of(context.plan.by_id[task].scope))
        if len(index) != maps:
            raise BadInput(f"--index {options.index!r} has not one number for each of the {maps} maps around {task!r}")
        return [index]
    shard, _, count = options.shard.partition("/")
    if not (shard.isdecimal() and count.isdecimal() and int(shard) < int(count)):
        raise BadInput(f"--shard {options.shard!r} is not k/n, such as 0/4")
    try:
        return context.resolver().indices(task)[int(shard) :: int(count)]
    except Skip:
        return []


def _one(context: RunContext, task: str, index: Index) -> Outcome:
    plan = context.plan
    outcome: Outcome = run_task(context, plan.by_id[task], index)
    # What failed by infrastructure the platform may start again: the tasks behind it must not find the run stopped.
    is_final = outcome.state == "failed" and outcome.exit_code != INFRASTRUCTURE
    if is_final and plan.on_failure == "stop" and task != plan.on_exit:
        context.run.stop(task)
    place = ".".join([task, *map(str, index)])
    line = f"{now()} {place}: {outcome.state}"
    if outcome.cause is not None:
        line += f": {outcome.cause.kind}: {blank(outcome.cause.message)}"
        if outcome.cause.traceback:
            sys.stderr.write(blank(outcome.cause.traceback))
    print(line, flush=True)
    return outcome


def main(argv: Sequence[str] | None = None) -> int:
    """Run one task; returns the exit code (EXECUTION.md, "Retries, timeouts, exit codes")."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return _run(argv)
    except (Cancelled, KeyboardInterrupt) as error:
        print(f"crossdock: {blank(cause_of(error).message)}", file=sys.stderr)
        return INFRASTRUCTURE
    except StoreError as error:
        print(f"crossdock: {blank(str(error))}", file=sys.stderr)
        return INFRASTRUCTURE
    except (CrossdockError, TaskFailed) as error:
        print(f"crossdock: {blank(str(error))}", file=sys.stderr)
        return failure.BAD_INPUT
