"""`crossdock submit` and `crossdock publish`."""

from __future__ import annotations

import click

from crossdock.client import Client


@click.command()
@click.argument("source", metavar="SOURCE|DIR")
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A pipeline parameter.")
@click.option("--params", "params_file", type=click.Path(), help="A YAML file with parameters.")
@click.option("--stack", help="Name of the stack; a bundle goes to the one that it was made for.")
@click.option("--wait", is_flag=True, help="Return when the run has ended. On this machine it has in any case.")
@click.option("--confirm", metavar="STACK", help="The name of a protected stack.")
@click.option("--no-cache", is_flag=True, help="Run every task.")
@click.option("--run-id", metavar="ID", help="A fixed run id.")
@click.option("--cron", metavar="EXPR", help="Start runs by the clock (five fields, UTC), on a platform that can.")
@click.option("--tag", "tags", multiple=True, metavar="NAME", help="A name to find the run by; repeatable.")
def submit(
    source: str,
    params: tuple[str, ...],
    params_file: str | None,
    stack: str | None,
    wait: bool,
    confirm: str | None,
    no_cache: bool,
    run_id: str | None,
    cron: str | None,
    tags: tuple[str, ...],
) -> int:
    """Start a run of the pipeline SOURCE, or of the bundle DIR as it was reviewed. Prints the run id.

    With --cron it makes a schedule instead, and prints its id.
    """
    from crossdock.cli.build import told
    from crossdock.dsl.errors import BadInput, RunFailed
    from crossdock.passes.parameters import from_file, from_text
    from crossdock_runtime.record import new_run_id

    run = run_id or new_run_id()
    client = Client(stack)
    if cron is not None:
        if run_id is not None or wait or tags:
            what = "--cron makes no run: --run-id, --wait and --tag do not go with it"
            raise BadInput(what, hint="leave them out", id="bad-cron")
        given = from_file(params_file) if params_file else {}
        made = client.schedule(
            source, cron, given, texts=from_text(params), confirm=confirm, cache=not no_cache, tell=told
        )
        click.echo(made.id)
        return 0
    try:
        started = client.submit(
            source,
            from_file(params_file) if params_file else {},
            texts=from_text(params),
            confirm=confirm,
            wait=wait,
            cache=not no_cache,
            run_id=run,
            tags=tags,
            tell=told,
        )
    except RunFailed:
        click.echo(run)
        raise
    click.echo(run)
    url = client.url_of(started)
    if url is not None:
        click.echo(url, err=True)
    return 0


@click.command()
@click.argument("folder", metavar="DIR")
@click.option("--stack", help="Which of several stacks.")
def publish(folder: str, stack: str | None) -> int:
    """Upload the plan and the code of the bundle DIR to its stack's artifact store, and print where the plan is."""
    from crossdock.cli.build import told

    click.echo(Client().publish(folder, stack=stack, tell=told))
    return 0
