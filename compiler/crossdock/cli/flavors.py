"""`crossdock flavor …`."""

from __future__ import annotations

import click

from crossdock.cli.tables import HELP, JSON, columns, print_json, spelled
from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock.stacks.components import component_type
from crossdock.stacks.definitions import COMPONENT_TYPES, dashed, one, title


@click.group(context_settings={**HELP, "token_normalize_func": spelled})
def flavor() -> None:
    """The flavors that components can have: those of the installed packages."""


@flavor.command("list")
@click.argument("type_", metavar="[TYPE]", required=False)
@JSON
def list_(type_: str | None, as_json: bool) -> int:
    """The installed flavors, or those of a component TYPE such as artifact-store."""
    from crossdock.registry import flavors

    types = (component_type(type_),) if type_ else COMPONENT_TYPES
    found = [(found, name) for found in types for name in flavors(found)]
    if as_json:
        print_json([{"type": item, "flavor": name} for item, name in found])
    elif not found:
        click.echo(f"no flavor of {one(types[0])} is installed")
    else:
        columns([("TYPE", "FLAVOR"), *((dashed(item), name) for item, name in found)])
    return 0


@flavor.command()
@click.argument("words", nargs=-1, metavar="[TYPE] FLAVOR")
@JSON
def describe(words: tuple[str, ...], as_json: bool) -> int:
    """What FLAVOR is and which settings it has; TYPE may be left out where only one has a flavor of that name."""
    from crossdock.registry import flavors

    if len(words) not in (1, 2):
        raise click.UsageError("write [TYPE] FLAVOR, such as: orchestrator local")
    name, type_ = words[-1], words[0] if len(words) == 2 else None
    types = [component_type(type_)] if type_ else [item for item in COMPONENT_TYPES if name in flavors(item)]
    if not types:
        known = sorted({found for item in COMPONENT_TYPES for found in flavors(item)})
        raise BadInput(f"there is no flavor {name!r}", hint=did_you_mean(name, known), id="unknown-flavor")
    from crossdock.stacks.fields import about

    found = [about(item, name) for item in types]
    if as_json:
        print_json(found)
        return 0
    for number, item in enumerate(found):
        click.echo(("\n" if number else "") + f"{title(item['type'])} {name}")
        if item["says"]:
            click.echo(item["says"])
        if item["extra"]:
            click.echo(f"needs: pip install 'crossdock[{item['extra']}]'")
        if not item["settings"]:
            click.echo("no settings")
            continue
        rows = [("SETTING", "TYPE", "DEFAULT", "")]
        rows += [
            (field["name"], field["type"], "required" if field["required"] else _shown(field["default"]), field["says"])
            for field in item["settings"]
        ]
        columns(rows, "  ")
    return 0


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
