"""`crossdock build`."""

from __future__ import annotations

import click

from crossdock.client import Client


@click.command()
@click.argument("source")
@click.option("--stack", help="Name of the stack.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def build(source: str, stack: str | None, as_json: bool) -> int:
    """Build the images that the pipeline SOURCE runs in on a stack, where they are not there, and write images.lock."""
    from crossdock.stacks.documents import shown_path

    client = Client(stack)
    built = client.build(source, tell=told)
    if as_json:
        import json

        click.echo(json.dumps(built.document(), indent=1, ensure_ascii=False))
        return 0
    for image in built.images:
        click.echo(f"{image.reference} for {', '.join(image.tasks)}")
    if built.lock is not None:
        click.echo(f"written to {shown_path(built.lock)}", err=True)
    else:
        click.echo(f"stack {client.stack.name} builds no images: its tasks run {_where(client)}", err=True)
    return 0


def told(line: str) -> None:
    """A line of progress, which is no result."""
    click.echo(line, err=True)


def _where(client: Client) -> str:
    from crossdock.stacks import ContainerConfig

    if isinstance(client.stack.orchestrator.config, ContainerConfig):
        return "in images that are there already"
    return "in no containers"
