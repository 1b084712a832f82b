"""`crossdock run`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from crossdock.client import Client


@click.command()
@click.argument("source")
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A pipeline parameter.")
@click.option("--params", "params_file", type=click.Path(), help="A YAML file with parameters.")
@click.option("--stack", help="Name of the stack.")
@click.option("--resume", metavar="RUN", help="Adopt the committed results of an earlier run.")
@click.option("--accept-changes", is_flag=True, help="Resume a run of a pipeline that was changed since.")
@click.option("--no-cache", is_flag=True, help="Run every task.")
@click.option("--max-workers", type=click.IntRange(1, 512), default=1, show_default=True, help="Tasks at once.")
@click.option("--run-id", help="A fixed run id.")
@click.option("--tag", "tags", multiple=True, metavar="NAME", help="A name to find the run by; repeatable.")
@click.option("--confirm", metavar="STACK", help="The stack's name again, where it is protected.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, logs on stderr.")
def run(
    source: str,
    params: tuple[str, ...],
    params_file: str | None,
    stack: str | None,
    resume: str | None,
    accept_changes: bool,
    no_cache: bool,
    max_workers: int,
    run_id: str | None,
    tags: tuple[str, ...],
    confirm: str | None,
    as_json: bool,
) -> int:
    """Run the pipeline SOURCE (path/file.py[:name] or package.module[:name]) and wait for its end."""
    from crossdock.cli.build import told
    from crossdock.cli.progress import Progress
    from crossdock.passes.parameters import from_file, from_text

    client = Client(stack)
    given = from_file(params_file) if params_file else {}
    texts = from_text(params)
    loaded = client.load(source)
    checked = client.check(loaded)
    progress = Progress(loaded.plan, to_stderr=as_json)
    progress.warn(checked.warnings)
    with progress:
        done = client.run(
            loaded,
            given,
            texts=texts,
            cache=not no_cache,
            max_workers=max_workers,
            resume=resume,
            accept_changes=accept_changes,
            run_id=run_id,
            tags=tags,
            confirm=confirm,
            on_event=progress.event,
            tell=told,
            raise_on_failure=False,
        )
    return finish(client, done, progress, as_json)


def finish(client: Client, done: object, progress: object, as_json: bool) -> int:
    """Say how a run ended; returns the exit code."""
    from crossdock.cli.progress import Progress
    from crossdock.client import Run
    from crossdock_runtime.state import state_json

    assert isinstance(done, Run)
    assert isinstance(progress, Progress)
    state = done.state
    if as_json:
        click.echo(json.dumps(state_json(state), indent=1))
    progress.summary(state, store=client.store.url, home=str(Path.home()))
    return 0 if state.status == "succeeded" else 1
