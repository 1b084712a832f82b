"""One attempt of a task: run it, and commit what it made."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import Any

from crossdock.dsl import types
from crossdock.dsl.scratch import scratch_from
from crossdock.dsl.settings import Cache
from crossdock_runtime import artifacts, cache, heartbeat, values
from crossdock_runtime.context import Ready, RunContext
from crossdock_runtime.contract import Program, PythonCode, Task
from crossdock_runtime.exits import exit_guarded
from crossdock_runtime.failure import Cause, cause_of, is_told_to_end
from crossdock_runtime.logs import TaskLog, captured
from crossdock_runtime.manifest import Manifest
from crossdock_runtime.prepare import gates_of
from crossdock_runtime.program_steps import run_program
from crossdock_runtime.record import Result, now
from crossdock_runtime.scratch import Scratch
from crossdock_runtime.steps import convert, outputs_of, resolve_secret


def run_attempt(context: RunContext, ready: Ready, number: int) -> tuple[Result | None, Cause | None]:
    """One attempt: its result, or why it failed.

    Raises:
        Cancelled, KeyboardInterrupt: told to end; the attempt is recorded before.
    """
    task, record = ready.task, ready.record
    listen = None
    if context.listen is not None:
        tell, index = context.listen, ready.index

        def listen(text: str) -> None:
            tell(task.id, index, text)

    if (task.settings.timeout is not None or task.id in context.apart) and not context.isolated:
        from crossdock_runtime import isolate

        return isolate.attempt(context, ready, number)
    started = now()
    log = TaskLog(record, number, listen=listen)
    try:
        with heartbeat.beating(record, number):
            env = _environment(task, log)
            outputs = _run(context, ready, number, log, env)
            result = Result(
                "succeeded", outputs, gates_of(context, task, ready.index, outputs), number, ready.key, ready.fields,
                None, started, now(),
            )  # fmt: skip
            winner, ours = record.commit(result)
            record.finish(number, {"state": winner.state, "committed": ours, "started": started})
    except BaseException as error:
        cause = cause_of(error)
        state = "cancelled" if is_told_to_end(error) else "failed"
        log.flush()
        record.finish(number, {"state": state, "started": started, "cause": _blanked(cause, log).to_json()})
        if state == "cancelled":
            raise
        return None, _blanked(cause, log)
    if ours and context.remember and _keeps(task):
        cache.remember(context.store, ready.key, context.run.id, winner)
    return winner, None


def _keeps(task: Task) -> bool:
    settings = task.settings.cache
    return not isinstance(settings, Cache) or settings.enabled


def _blanked(cause: Cause, log: TaskLog) -> Cause:
    return Cause(
        cause.kind,
        log.blank(cause.message),
        cause.type,
        cause.bases,
        log.blank(cause.traceback),
        log.blank(cause.hint),
    )


def _environment(task: Task, log: TaskLog) -> dict[str, str]:
    env = dict(task.settings.env)
    for name, secret in task.settings.secrets.items():
        env[name] = resolve_secret(secret.source, secret.reference, name)
        log.hide(name, env[name])
    return env


@contextlib.contextmanager
def _environ(env: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in env}
    os.environ.update(env)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _run(context: RunContext, ready: Ready, number: int, log: TaskLog, env: Mapping[str, str]) -> dict[str, Manifest]:
    task = ready.task
    with Scratch() as scratch, scratch_from(scratch.path):
        if isinstance(task.code, Program):
            inputs = {name: item.load(_program_type(task, name), scratch.path) for name, item in ready.inputs.items()}
            run = context.run_program or run_program
            returned = run(task, inputs, scratch.path() / "program", env, log.line)
            log.flush()
            return _save(context, ready, number, returned)
        assert isinstance(task.code, PythonCode)
        with _environ(env), exit_guarded(), captured(log, descriptors=context.own_process):
            step = context.step(task.code)
            arguments = {}
            for name, item in ready.inputs.items():
                annotation = step.signature.inputs[name].type if name in step.signature.inputs else Any
                members = [kind for kind in types.union_members(annotation) if kind is not type(None)]
                loaded = item.load(members[0] if len(members) == 1 else None, scratch.path)
                arguments[name] = convert(loaded, annotation)
            returned = outputs_of(step, step.function(**arguments))
            return _save(context, ready, number, returned)


def _program_type(task: Task, name: str) -> Any:
    return bytes if task.inputs[name].type == "bytes" else None


def _save(context: RunContext, ready: Ready, number: int, returned: Mapping[str, Any]) -> dict[str, Manifest]:
    task = ready.task
    place = "/".join([f"data/{context.run.id}/{task.id}", *map(str, ready.index), str(number)])
    found = {}
    for name, value in returned.items():
        about = {
            "run": context.run.id, "task": task.id, "index": list(ready.index), "attempt": number, "output": name,
        }  # fmt: skip
        manifest = artifacts.save(
            context.store,
            value,
            f"{place}/{name}",
            producer=about,
            materializer=task.outputs[name].materializer,
        )
        context.store.create(
            f"{ready.record.key}/attempts/{number}/outputs/{name}.json", values.dumps(manifest.to_json())
        )
        found[name] = manifest
    return found
