"""`crossdock export`."""

from __future__ import annotations

import click

from crossdock.client import Client


@click.command()
@click.argument("source")
@click.option("--stack", "stacks", multiple=True, metavar="S", help="Name of a stack; may be given several times.")
@click.option("--all-stacks", is_flag=True, help="Every stack that there is.")
@click.option("--target", metavar="FLAVOR", help="An orchestrator's flavor; marked placeholders stand for the stack.")
@click.option("-o", "--output", metavar="DIR", required=True, help="The bundle's folder.")
def export(source: str, stacks: tuple[str, ...], all_stacks: bool, target: str | None, output: str) -> int:
    """Write the bundle of the pipeline SOURCE: its native spec, its plan, REVIEW.md, a picture and a lock.

    With several stacks, DIR has a folder for each, and STACKS.md says what differs between them.
    """
    if target and (stacks or all_stacks):
        raise click.UsageError("--target excludes --stack and --all-stacks")
    if stacks and all_stacks:
        raise click.UsageError("--stack and --all-stacks exclude each other")
    exported = Client().export(source, output, stacks=stacks, all_stacks=all_stacks, target=target)
    for text in dict.fromkeys(str(problem) for problem in exported.warnings):
        click.echo(f"note: {text}", err=True)
    for error in (exported.refused or {}).values():
        click.echo(f"left out: {error}", err=True)
    for name in exported.files:
        click.echo(f"{output.rstrip('/')}/{name}")
    return 0
