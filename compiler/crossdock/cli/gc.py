"""`crossdock gc`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from crossdock.cli.durations import Duration
from crossdock.client import Client

if TYPE_CHECKING:
    from crossdock_runtime.garbage import Garbage


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, and delete nothing.")
@click.option(
    "--older-than",
    type=Duration(),
    default="1d",
    show_default=True,
    metavar="TIME",
    help="Leave alone what is younger.",
)
@click.option("--tag", metavar="NAME", help="Only what is of runs with this tag.")
@click.option("--stack", help="Name of the stack.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def gc(dry_run: bool, older_than: float, tag: str | None, stack: str | None, as_json: bool) -> int:
    """Delete what nothing in the stack's artifact store points to; runs that go on are left alone."""
    client = Client(stack)
    found = client.gc(dry_run=dry_run, older_than=older_than, tag=tag)
    kinds = _grouped(found, lambda item: [item.kind])
    tags = _grouped(found, lambda item: item.tags)
    total = {"count": len(found), "bytes": sum(item.entry.size for item in found)}
    if as_json:
        click.echo(json.dumps({"dry_run": dry_run, "kinds": kinds, "tags": tags, "total": total}, indent=1))
        return 0
    if not found:
        click.echo(f"nothing to delete in {client.store.url}")
        return 0
    for head, groups in (("KIND", kinds), ("TAG", tags)):
        if groups:
            _print((head, "OBJECTS", "BYTES", "OLDEST"), groups)
    word = "would be deleted; crossdock gc does it" if dry_run else "deleted"
    click.echo(f"{total['count']} objects with {_size(total['bytes'])} {word}")
    return 0


def _grouped(found: Iterable[Garbage], names: Callable[[Garbage], Iterable[str]]) -> dict[str, dict[str, Any]]:
    groups: dict[str, dict[str, Any]] = {}
    for item in found:
        for name in names(item):
            group = groups.setdefault(name, {"count": 0, "bytes": 0, "oldest": item.entry.written})
            group["count"] += 1
            group["bytes"] += item.entry.size
            group["oldest"] = min(group["oldest"], item.entry.written)
    return {
        name: {**group, "oldest": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(group["oldest"]))}
        for name, group in sorted(groups.items())
    }


def _size(count: int) -> str:
    """Bytes for people: `12.3 MB`."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _print(head: tuple[str, ...], groups: dict[str, dict[str, Any]]) -> None:
    rows = [head]
    for name, group in groups.items():
        rows.append((name, str(group["count"]), _size(group["bytes"]), group["oldest"][:16].replace("T", " ")))
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
