"""`crossdock diff`."""

from __future__ import annotations

import click

from crossdock.client import Client


@click.command()
@click.argument("source")
@click.argument("folder", metavar="DIR")
@click.option("--stack", help="Only this one of several stacks.")
@click.option("--full", is_flag=True, help="The files too, as unified diffs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def diff(source: str, folder: str, stack: str | None, full: bool, as_json: bool) -> int:
    """Say what changed in the pipeline SOURCE since the bundle DIR was exported: 0 nothing, 1 something."""
    found = Client().diff(source, folder, stack=stack)
    same = all(item.same for item in found)
    if as_json:
        import json

        bundles = [{**item.document(), **({"patches": dict(item.patches)} if full else {})} for item in found]
        click.echo(json.dumps({"same": same, "bundles": bundles}, indent=1, ensure_ascii=False))
    else:
        for item in found:
            for line in item.lines(full=full):
                click.echo(line)
    return 0 if same else 1
