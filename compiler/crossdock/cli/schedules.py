"""`crossdock schedules …`: what starts runs by the clock. `crossdock submit --cron` makes one."""

from __future__ import annotations

from dataclasses import asdict

import click

from crossdock.cli.tables import HELP, JSON, columns, print_json
from crossdock.client import Client


@click.group(context_settings=HELP)
def schedules() -> None:
    """Look at schedules, pause, resume and delete them. `crossdock submit SOURCE --cron EXPR` makes one."""


_STACK = click.option("--stack", help="Name of the stack.")


@schedules.command("list")
@click.option("--pipeline", help="Only those of this pipeline.")
@_STACK
@JSON
def list_(pipeline: str | None, stack: str | None, as_json: bool) -> int:
    """The schedules on the stack's platform."""
    client = Client(stack)
    found = client.schedules(pipeline)
    if as_json:
        print_json([asdict(item) for item in found])
    elif not found:
        click.echo(f"no schedules on stack {client.stack.name!r}\n  hint: crossdock submit SOURCE --cron '0 3 * * *'")
    else:
        rows = [(item.id, item.pipeline, item.cron, "paused" if item.paused else "active") for item in found]
        columns([("SCHEDULE", "PIPELINE", "CRON (UTC)", "STATE"), *rows])
    return 0


@schedules.command()
@click.argument("schedule")
@_STACK
def pause(schedule: str, stack: str | None) -> int:
    """Start no further runs of SCHEDULE, until it is resumed."""
    Client(stack).pause_schedule(schedule)
    click.echo(f"{schedule}: paused")
    return 0


@schedules.command()
@click.argument("schedule")
@_STACK
def resume(schedule: str, stack: str | None) -> int:
    """Start runs of SCHEDULE again."""
    Client(stack).resume_schedule(schedule)
    click.echo(f"{schedule}: active")
    return 0


@schedules.command()
@click.argument("schedule")
@_STACK
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(schedule: str, stack: str | None, yes: bool) -> int:
    """Remove SCHEDULE; its runs stay."""
    if not yes:
        click.confirm(f"delete schedule {schedule}?", abort=True)
    Client(stack).delete_schedule(schedule)
    click.echo(f"{schedule}: deleted")
    return 0
