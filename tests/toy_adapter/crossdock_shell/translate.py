"""Plan in, text of `run.sh` out: pure.

A task is a call of the function `task`, in the order of the plan, which is one in which they can run. Around it stand
the loops and conditions of its scopes. What steers them are files that the runtime writes where `--emit` says: `true`
or `false` for a gate, the item numbers for a map. A map whose items no task lists is one call with `--shard 0/1`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crossdock.ir import BranchScope, ListOf, Literal, MapScope, Output, Plan, Scope, Task

FILE = "run.sh"
CONTRACT = 1

HEAD = """\
#!/usr/bin/env bash
# Pipeline {name}. It needs:
#   CROSSDOCK_STORE    the artifact store, which holds the plan
#   CROSSDOCK_PROJECT  the folder of the pipeline's code
#   CROSSDOCK_RUN      an id for this run; without it every task would be a run of its own
#   PYTHON             a Python that has Crossdock; python3 without it
set -u
plan=$CROSSDOCK_STORE/plans/{digest}.json
emitted=$(mktemp -d)
trap 'rm -rf "$emitted"' EXIT
status=0

task() {{
  {guard}nice -n "${{NICE:-0}}" "${{PYTHON:-python3}}" -m crossdock_runtime --contract {contract} \\
    --plan "$plan" --run "$CROSSDOCK_RUN" --task "$@" </dev/null || status=$?
}}
says() {{ [ "$(cat "$emitted/$1" 2>/dev/null)" = "$2" ]; }}
items() {{ tr -d '[]",' 2>/dev/null <"$emitted/$1"; }}
"""
STOP = """[ "$status" = 0 ] || return 0
  """


def translate(plan: Plan, nice: Mapping[str, int]) -> str:
    """The text of `run.sh`.

    Args:
        plan: after the passes.
        nice: by how much the priority of each task is lowered.
    """
    guard = STOP if plan.on_failure == "stop" else ""
    lines = [HEAD.format(name=plan.name, digest=plan.digest, contract=CONTRACT, guard=guard)]
    lines += [
        f"# parameter {item.name}: {_one_line(item.type)}, in PARAM_{item.name}" for item in plan.parameters.values()
    ]
    for task in plan.tasks:
        if task.id != plan.on_exit:
            lines += _task(plan, task, nice[task.id])
    if plan.on_exit is not None:
        lines += ["", "# the exit step runs in any case", "before=$status status=0"]
        lines += _task(plan, plan.by_id[plan.on_exit], nice[plan.on_exit])
        lines += ['[ "$before" = 0 ] || status=$before']
    return "\n".join([*lines, 'exit "$status"', ""])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _task(plan: Plan, task: Task, nice: int) -> Iterator[str]:
    """The call of a task, inside of its loops and conditions."""
    scopes = plan.scopes_of(task.scope)
    sharded = any(isinstance(scope, MapScope) and _lists(scope) is None for scope in scopes)
    words = ["task", task.id]
    depth = 0
    if sharded:
        words += ["--shard", "0/1"]
    else:
        for scope in scopes:
            yield "  " * depth + _opened(plan, scope)
            depth += 1
        maps = plan.maps_of(task.scope)
        if maps:
            words += ["--index", ".".join(f"${_variable(scope)}" for scope in maps)]
        for name in _emits(plan, task):
            words += ["--emit", f'{name}="$emitted/{_file(plan, name, task)}"']
    for name in plan.parameters_of(task):
        words += [f'${{PARAM_{name}+--param "{name}=$PARAM_{name}"}}']
    prefix = f"NICE={nice} " if nice else ""
    yield "  " * depth + prefix + " ".join(words)
    while depth:
        depth -= 1
        yield "  " * depth + ("fi" if isinstance(scopes[depth], BranchScope) else "done")


def _opened(plan: Plan, scope: Scope) -> str:
    if isinstance(scope, BranchScope):
        owner = plan.by_id[str(plan.gates[scope.gate].task)]
        return f'if says "{_file(plan, scope.gate, owner)}" {"true" if scope.expect else "false"}; then'
    return f"for {_variable(scope)} in {_lists(scope) or _read(plan, scope)}; do"


def _read(plan: Plan, scope: MapScope) -> str:
    assert isinstance(scope.items, Output)
    return f'$(items "{_file(plan, scope.id, plan.by_id[scope.items.task])}")'


def _lists(scope: MapScope) -> str | None:
    """The item numbers as words where the plan says them; empty where a task does; None where neither does."""
    if isinstance(scope.items, Output):
        return ""
    if isinstance(scope.items, ListOf):
        count = len(scope.items.items)
    elif isinstance(scope.items, Literal):
        value = scope.items.value
        count = len(value if isinstance(value, list) else value["$tuple"])
    else:
        return None
    return " ".join(map(str, range(count))) or "$(:)"


def _emits(plan: Plan, task: Task) -> Iterator[str]:
    """Ids of the gates and maps that the task steers."""
    yield from (gate.id for gate in plan.gates_of.get(task.id, ()))
    for scope in plan.scopes.values():
        if isinstance(scope, MapScope) and isinstance(scope.items, Output) and scope.items.task == task.id:
            yield scope.id


def _file(plan: Plan, name: str, owner: Task) -> str:
    """The file of a gate or a map: one for each item that its owner runs for."""
    return ".".join([name, *(f"${_variable(scope)}" for scope in plan.maps_of(owner.scope))])


def _variable(scope: Scope) -> str:
    return scope.id.replace("-", "_")
