"""`crossdock runs …`: everything that the store knows of runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from crossdock.cli.durations import Duration
from crossdock.client import Client, Run
from crossdock.dsl.errors import BadInput

if TYPE_CHECKING:
    from crossdock_runtime.summary import Summary


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def runs() -> None:
    """Look at runs, resume, replay, cancel and delete them. RUN is an id, the end of one, or `latest`."""


_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
_STACK = click.option("--stack", help="Name of the stack.")


def _print_json(body: Any) -> None:
    click.echo(json.dumps(body, indent=1))


def _columns(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@runs.command("list")
@click.option("-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@click.option("--pipeline", help="Only runs of this pipeline.")
@click.option("--tag", metavar="NAME", help="Only runs with this tag.")
@_STACK
@_JSON
def list_(limit: int, pipeline: str | None, tag: str | None, stack: str | None, as_json: bool) -> int:
    """The newest runs."""
    client = Client(stack)
    found = [run.summary for run in client.list_runs(pipeline, limit, tag=tag)]
    if as_json:
        _print_json([item.to_json() for item in found])
    elif not found:
        click.echo(f"no runs in {client.store.url}\n  hint: crossdock run FILE.py")
    else:
        rows = [("RUN", "PIPELINE", "STATUS", "CREATED", "TASKS", "TAGS"), *map(_row, found)]
        _columns(rows if any(item.tags for item in found) else [row[:-1] for row in rows])
    return 0


def _row(item: Summary) -> tuple[str, ...]:
    if item.status == "damaged":
        return item.run, item.pipeline or "", "damaged", "", f"crossdock runs show {item.run} says where", ""
    created = str(item.document.get("created", ""))[:19].replace("T", " ")
    return item.run, item.pipeline or "", item.status, created, f"{item.done}/{item.of}", " ".join(item.tags)


def _refresh(client: Client, run: Run) -> None:
    """Ask the run's platform; where it cannot be asked, what the record says is shown, and that."""
    from crossdock.dsl.errors import BadInput, PlatformError

    try:
        client.refresh(run)
    except (BadInput, PlatformError) as error:
        click.echo(f"note: {error.message}; what follows is what the record says", err=True)


@runs.command()
@click.argument("run")
@_STACK
@_JSON
def show(run: str, stack: str | None, as_json: bool) -> int:
    """The state of RUN and of its tasks, as of now."""
    from crossdock.cli.progress import MARKS, seconds
    from crossdock_runtime.record import now
    from crossdock_runtime.state import state_json

    client = Client(stack)
    found = client.get_run(run)
    _refresh(client, found)
    state = found.state
    if as_json:
        _print_json(state_json(state))
        return 0
    failed = [task for task in state.tasks if task.cause is not None and task.state in ("failed", "lost")]
    if failed:
        cause = failed[0].cause
        click.echo(f"{failed[0].name}: {cause.kind}: {cause.message}" if cause else failed[0].name)
    click.echo(f"{state.run}  {state.plan.name}  {state.status}  (as of {now()})")
    url = client.url_of(found)
    if url is not None:
        click.echo(url)
    if state.document.get("tags"):
        click.echo(f"tags: {', '.join(state.document['tags'])}")
    width = max(len(task.name) for task in state.tasks)
    for task in state.tasks:
        mark, style = MARKS[task.state]
        tries = f"({task.attempts} attempts)" if task.attempts > 1 else ""
        reason = task.result.reason if task.result is not None and task.result.reason else ""
        took = seconds(task.seconds) if task.state in ("succeeded", "failed") else ""
        text = f"{mark} {task.name:<{width}}  {task.state:<15} {took:>8} {tries} {reason}".rstrip()
        click.secho(text, fg=style)
    for task in failed[:1]:
        if task.cause is not None and task.cause.traceback:
            click.echo(task.cause.traceback.rstrip())
        click.echo(f"replay: crossdock runs replay {state.run} {task.name}")
        click.echo(f"resume: crossdock runs resume {state.run}")
    return 0


@runs.command()
@click.argument("run")
@click.argument("task", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@_STACK
def logs(run: str, task: str | None, follow: bool, stack: str | None) -> int:
    """What the tasks of RUN printed; of one TASK when it is named (`task`, or `task.0` for an item)."""
    client = Client(stack)
    found = client.get_run(run)
    nothing = True
    for name, attempt, text in client.follow_logs(found, task) if follow else found.logs(task):
        nothing = nothing and not text
        for line in text.removesuffix("\n").split("\n") if text else ():  # a line may hold \r, as a progress bar does
            time, _, rest = line.partition(" ")
            place = name if attempt == 1 else f"{name}#{attempt}"
            click.echo(f"{time} {place} | {rest}")
    for line in client.native_logs(found, task) if nothing and task is not None else ():
        click.echo(line)
    return 0


@runs.command()
@click.argument("run")
@click.argument("name", required=False)
@_STACK
@_JSON
def outputs(run: str, name: str | None, stack: str | None, as_json: bool) -> int:
    """What the tasks of RUN returned; one whole value when NAME (`task.output`) is given."""
    from crossdock_runtime.show import manifest_text
    from crossdock_runtime.state import outputs_json

    found = Client(stack).get_run(run).outputs
    if name is not None:
        item = found[name]
        if as_json:
            item.verify()
            _print_json(outputs_json({name: item.manifest})[name])
        else:
            click.echo(item.describe())
        return 0
    for item in found.values():
        item.verify()
    if as_json:
        _print_json(outputs_json({key: item.manifest for key, item in found.items()}))
        return 0
    if not found:
        click.echo("no outputs")
        return 0
    _columns([(key, manifest_text(item.manifest, 90)) for key, item in found.items()])
    return 0


@runs.command()
@click.argument("run")
@_STACK
def cancel(run: str, stack: str | None) -> int:
    """Ask RUN to end; its tasks are told within seconds."""
    client = Client(stack)
    found = client.get_run(run)
    if client.cancel(found):
        click.echo(f"{found.id}: no further task starts")
    else:
        click.echo(f"{found.id} is {found.status} already")
    return 0


@runs.command()
@click.argument("run")
@click.option("--accept-changes", is_flag=True, help="Use the code as it is now.")
@click.option("--max-workers", type=click.IntRange(1, 512), default=1, show_default=True, help="Tasks at once.")
@click.option("--confirm", metavar="STACK", help="The stack's name again, where it is protected.")
@_STACK
@_JSON
def resume(
    run: str, accept_changes: bool, max_workers: int, confirm: str | None, stack: str | None, as_json: bool
) -> int:
    """Run what RUN did not finish, as a new run; what it committed is adopted."""
    from crossdock.cli.progress import Progress
    from crossdock.cli.run import finish

    client = Client(stack)
    progress = Progress(to_stderr=as_json)
    with progress:
        done = client.resume(
            run,
            accept_changes=accept_changes,
            max_workers=max_workers,
            confirm=confirm,
            on_event=progress.event,
            raise_on_failure=False,
        )
    return finish(client, done, progress, as_json)


@runs.command()
@click.argument("run")
@click.argument("task")
@_STACK
def replay(run: str, task: str, stack: str | None) -> int:
    """Run TASK of RUN again, here, with its real inputs; writes to a scratch run that is not listed."""
    from crossdock.cli.build import told
    from crossdock.cli.progress import Progress

    client = Client(stack)
    progress = Progress()
    with progress:
        scratch, outcome = client.replay(run, task, on_event=progress.event, tell=told)
    if outcome.cause is not None:
        if outcome.cause.traceback:
            click.echo(outcome.cause.traceback.rstrip())
        click.echo(f"{task}: {outcome.cause.kind}: {outcome.cause.message}")
        if outcome.cause.hint:
            click.echo(f"  hint: {outcome.cause.hint}")
    click.echo(f"{task} {outcome.state}; its record: crossdock runs logs {scratch}")
    return 0 if outcome.cause is None else 1


@runs.command("explain-cache")
@click.argument("run")
@click.argument("task")
@_STACK
@_JSON
def explain_cache(run: str, task: str, stack: str | None, as_json: bool) -> int:
    """What the cache key of TASK in RUN is made of, and which of it differs from the run before."""
    found = Client(stack).explain_cache(run, task)
    if as_json:
        _print_json(found)
        return 0
    click.echo(f"{found['task']} in {found['run']}: {found['state']}")
    if found["compared_with"] is None:
        click.echo("no earlier run of this pipeline has a result of this task")
    elif not found["different"]:
        click.echo(f"every field is equal to that of {found['compared_with']}")
    else:
        click.echo(f"different from {found['compared_with']}:")
        for name, (before, after) in found["different"].items():
            click.echo(f"  {name}: {before or '(absent)'} -> {after or '(absent)'}")
    for name, value in found["fields"].items():
        if name not in found["different"]:
            click.echo(f"  same: {name}" if found["compared_with"] else f"  {name}: {value}")
    return 0


@runs.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--older-than", type=Duration(), metavar="TIME", help="Those started so long ago, such as 30d.")
@click.option("--tag", metavar="NAME", help="Those with this tag.")
@click.option("--pipeline", metavar="NAME", help="Those of this pipeline.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_STACK
def delete(
    runs: tuple[str, ...],
    older_than: float | None,
    tag: str | None,
    pipeline: str | None,
    yes: bool,
    stack: str | None,
) -> int:
    """Delete the records of RUNs, and those of their bytes that nothing else points to.

    Without any RUN: of all that the options describe and that do not run.
    """
    described = older_than is not None or tag is not None or pipeline is not None
    if bool(runs) == described:
        raise BadInput(
            "runs to delete are named, or described by options",
            hint="crossdock runs delete RUN, or crossdock runs delete --older-than 30d",
            id="wrong-usage",
        )
    client = Client(stack)
    if described:
        found = client.find_runs(pipeline, tag=tag, older_than=older_than)
    else:
        found = [client.to_delete(run) for run in runs]
    if not found:
        click.echo("no such runs")
        return 0
    if not yes:
        rows = [
            ("RUN", "PIPELINE", "STATUS", "CREATED", "TASKS", "TAGS"),
            *(_row(run.summary) for run in found[:_SHOWN]),
        ]
        _columns(rows)
        if len(found) > _SHOWN:
            click.echo(f"… and {len(found) - _SHOWN} more")
        click.confirm(f"delete {f'these {len(found)} runs' if len(found) > 1 else found[0].id}?", abort=True)
    gone = client.delete_runs(found)
    kept = f"; {gone.kept} data objects stay, as other runs point to them" if gone.kept else ""
    who = f"{len(found)} runs" if len(found) > 1 else found[0].id
    click.echo(f"{who}: deleted {gone.facts} facts and {gone.data} data objects{kept}")
    return 0


_SHOWN = 20
