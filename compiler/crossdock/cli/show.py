"""`crossdock show`."""

from __future__ import annotations

from pathlib import Path

import click

from crossdock.client import Client


@click.command()
@click.argument("source")
@click.option(
    "--format", "form", type=click.Choice(["tree", "mermaid", "svg"]), help="How; the default is tree, or what -o says."
)
@click.option("-o", "--output", metavar="FILE", help="Write it there; .svg and .mmd choose the format.")
@click.option("--json", "as_json", is_flag=True, help="The whole plan as one JSON document.")
def show(source: str, form: str | None, output: str | None, as_json: bool) -> int:
    """Show the tasks of the pipeline SOURCE and how they hang together."""
    from crossdock.stacks.files import write_atomically

    if as_json:
        if form or output:
            raise click.UsageError("--json excludes --format and -o")
        click.echo(Client().load(source).plan.to_json(indent=1))
        return 0
    ending = {".svg": "svg", ".mmd": "mermaid"}.get(Path(output).suffix.lower(), "tree") if output else "tree"
    text = Client().show(source, form or ending)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_atomically(Path(output), text)
        click.echo(output)
    return 0
