"""Run a case on a stack, and say where what came of it differs from what must."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from crossdock.client import Client, Run
from crossdock.passes.load import Loaded
from crossdock.testing.case import SCRATCH, Case, Ended, Once, same
from crossdock_runtime.state import TaskState


def run_case(case: Case, client: Client, loaded: Loaded, scratch: str) -> Iterator[str]:
    """Run a case; every difference, in words.

    Args:
        case: what is run.
        client: of a stack whose store is empty.
        loaded: the case's pipeline.
        scratch: stands for `SCRATCH` among the parameters.
    """
    before: str | None = None
    for number, once in enumerate(case.runs, 1):
        parameters = {name: scratch if value is SCRATCH else value for name, value in once.parameters.items()}
        with environment(once.env):
            run = client.run(
                loaded,
                parameters,
                texts=once.texts,
                cache=once.cache,
                resume=before if once.resume else None,
                raise_on_failure=False,
            )
        before = run.id
        for difference in (*differences(once, run), *leaks(once, run)):
            yield f"run {number} of {len(case.runs)}: {difference}"


def differences(once: Once, run: Run) -> Iterator[str]:
    """Where a run differs from what must come of it."""
    state = run.state
    if state.status != once.status:
        yield f"the run {state.status}, not {once.status}"
    found = {task.name: task for task in state.tasks}
    for name in sorted(set(found) - set(once.tasks)):
        yield f"there is a task {name!r}, which {_told(found[name])}"
    for name, expected in once.tasks.items():
        if name not in found:
            yield f"there is no task {name!r}"
        else:
            yield from (f"task {name!r} {text}" for text in _task(expected, found[name], run))


def leaks(once: Once, run: Run) -> Iterator[str]:
    """Values of secrets that can be read in what a run left."""
    for name, secret in once.env.items():
        for task, _, text in run.logs():
            if secret in text:
                yield f"the log of {task!r} holds the value of {name}"
        for found in run.state.tasks:
            if found.cause is not None and secret in f"{found.cause.message}{found.cause.traceback}":
                yield f"the cause of {found.name!r} holds the value of {name}"


def _task(expected: Ended, task: TaskState, run: Run) -> Iterator[str]:
    if expected.other is not None and task.state == expected.other.state:
        expected = expected.other
    if task.state != expected.state:
        yield f"{_told(task)}, not {expected.state}"
        return
    if expected.attempts is not None and task.attempts != expected.attempts:
        yield f"had {task.attempts} attempts, not {expected.attempts}"
    if expected.cause is not None:
        cause = task.cause
        if cause is None:
            yield f"failed without a cause, not by {expected.cause!r}"
        elif cause.kind != expected.cause or expected.says not in cause.message:
            yield f"failed by {cause.kind!r} ({cause.message}), not by {expected.cause!r} ({expected.says or 'any'})"
    if task.state == "skipped" or task.result is None:
        return
    names = set(task.result.outputs)
    if names != set(expected.outputs):
        yield f"has outputs {sorted(names)}, not {sorted(expected.outputs)}"
    for name in names & set(expected.outputs):
        value = run.outputs[f"{task.name}.{name}"].load()
        if not same(value, expected.outputs[name]):
            yield f"gave {name} = {_short(value)}, not {_short(expected.outputs[name])}"


def _told(task: TaskState) -> str:
    return f"{task.state} ({task.cause.kind}: {task.cause.message})" if task.cause else task.state


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:120]}… ({len(text)} characters)"


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables of the environment, for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, text in before.items():
            if text is None:
                del os.environ[name]
            else:
                os.environ[name] = text
