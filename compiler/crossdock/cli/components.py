"""`crossdock orchestrator …`, `crossdock artifact-store …` and the other component types: one implementation of all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from crossdock.cli.tables import HELP, JSON, columns, hidden, print_json, settings_text, spelled
from crossdock.dsl.errors import BadInput
from crossdock.stacks.definitions import COMPONENT_TYPES, ComponentDefinition, dashed, title
from crossdock.stacks.workspace import Workspace

_FIELDS = {"ignore_unknown_options": True}


def __getattr__(name: str) -> click.Group:
    if name not in COMPONENT_TYPES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _group(name)


def _group(type_: str) -> click.Group:
    what = title(type_)

    @click.group(
        dashed(type_),
        help=f"Register, list, describe and change {what}s, .crossdock/components/{type_}/NAME.yaml.",
        context_settings={**HELP, "token_normalize_func": spelled},
    )
    def group() -> None:
        pass

    for command in (_register, _list, _describe, _update, _rename, _copy, _delete):
        group.add_command(command(type_, what))
    return group


def _say(found: ComponentDefinition, what: str) -> None:
    click.echo(f"{title(found.type)} {found.name!r} {what}: {found.file}")


def fields(words: Iterable[str]) -> tuple[list[str], dict[str, str | None]]:
    """Names, and the settings among them: `--key=value`, `--key value`, and `--key` for true.

    A setting whose name is an option of the command too is written `--config.user=…`.
    """
    names: list[str] = []
    texts: dict[str, str | None] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word == "-":
            names.append(word)
            continue
        if not word.startswith("--"):
            raise click.UsageError(f"there is no option {word!r}; settings are written --key=value")
        key, equals, value = word[2:].partition("=")
        key = key.removeprefix("config.")
        if not key:
            raise click.UsageError(f"{word!r} names no setting; write --key=value")
        if key.replace("-", "_") in texts:
            raise click.UsageError(f"--{key} is given twice; a list is written --{key}='[a, b]'")
        if not equals and rest and not rest[0].startswith("--"):
            equals, value = "=", rest.pop(0)
        texts[key.replace("-", "_")] = value if equals else None
    return names, texts


def _one_name(names: list[str]) -> str:
    if not names:
        raise click.UsageError("missing argument 'NAME'")
    if len(names) > 1:
        raise click.UsageError(f"one NAME, not {len(names)}: {' '.join(names)}; settings are written --key=value")
    return names[0]


def _register(type_: str, what: str) -> click.Command:
    @click.command(
        "register",
        context_settings=_FIELDS,
        help=f"Define the {what} NAME. --KEY=VALUE sets what its flavor has: crossdock flavor describe {dashed(type_)} "
        "FLAVOR. Lists and mappings are JSON or YAML, the value of a nested setting is --OUTER.INNER=VALUE.",
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="NAME [--KEY=VALUE]…")
    @click.option("-f", "--flavor", required=True, help="Its flavor: crossdock flavor list.")
    @click.option("--user", is_flag=True, help="Write to your own folder instead of the project's.")
    def register(words: tuple[str, ...], flavor: str, user: bool) -> int:
        names, texts = fields(words)
        _say(Workspace(user=user).create_component(type_, _one_name(names), flavor, texts=texts), "registered")
        return 0

    return register


def _list(type_: str, what: str) -> click.Command:
    @click.command("list", help=f"All {what}s; * marks that of the active stack. Ends with 2 when a file is damaged.")
    @JSON
    def list_(as_json: bool) -> int:
        workspace = Workspace()
        found = workspace.survey_components(type_)
        damaged = [item for item in found.values() if isinstance(item, BadInput)]
        active = workspace.survey().get(workspace.active().name)
        mine = () if active is None or isinstance(active, BadInput) else active.components.get(type_, ())
        if as_json:
            print_json([_json(name, item, workspace) for (_, name), item in found.items()])
        elif not found:
            click.echo(f"no {what}s\n  hint: crossdock {dashed(type_)} register NAME --flavor FLAVOR")
        else:
            rows = [("", "NAME", "FLAVOR", "SETTINGS", "STACKS", "WHERE")]
            for (_, name), item in found.items():
                mark = "*" if name in mine else " "
                if isinstance(item, BadInput):
                    rows.append((mark, name, "damaged", "", "", ""))
                    continue
                stacks = ", ".join(workspace.files.stacks_with(type_, name))
                rows.append((mark, name, item.flavor, settings_text(item.config), stacks, item.level))
            columns(rows)
        for error in damaged if not as_json else ():
            click.echo(f"crossdock: {error}", err=True)
        return 2 if damaged else 0

    return list_


def _json(name: str, item: ComponentDefinition | BadInput, workspace: Workspace) -> dict[str, Any]:
    if isinstance(item, BadInput):
        return {"name": name, "damaged": str(item)}
    return {
        "type": item.type,
        "name": name,
        "flavor": item.flavor,
        "config": hidden(item.config),
        "level": item.level,
        "file": item.file,
        "stacks": list(workspace.files.stacks_with(item.type, name)),
    }


def _describe(type_: str, what: str) -> click.Command:
    @click.command("describe", help=f"The {what} NAME, that of the active stack without NAME.")
    @click.argument("name", required=False)
    @JSON
    def describe(name: str | None, as_json: bool) -> int:
        workspace = Workspace()
        if name is None:
            stack = workspace.stack()
            members = stack.components.get(type_, ())
            if not members:
                raise BadInput(
                    f"the active stack, {stack.name!r}, has no {what}",
                    hint=f"{dashed(type_)} describe NAME",
                    id="unknown-component",
                )
            name = members[0]
        found = workspace.files.component(type_, name)
        if as_json:
            print_json(_json(name, found, workspace))
            return 0
        click.echo(f"{what} {name!r}, {found.file or 'built in'}")
        click.echo(f"flavor {found.flavor}")
        if found.config:
            click.echo("settings")
            columns([tuple(settings_text({key: value}).split("=", 1)) for key, value in found.config.items()], "  ")
        stacks = workspace.files.stacks_with(type_, name)
        click.echo(f"in the stacks {', '.join(stacks)}" if stacks else "in no stack")
        return 0

    return describe


def _update(type_: str, what: str) -> click.Command:
    @click.command(
        "update",
        context_settings=_FIELDS,
        help=f"Change settings of the {what} NAME: --KEY=VALUE, as for register; the rest stays.",
    )
    @click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="NAME [--KEY=VALUE]…")
    @click.option("--remove", multiple=True, metavar="KEY", help="Take a setting out: its default holds again.")
    def update(words: tuple[str, ...], remove: tuple[str, ...]) -> int:
        names, texts = fields(words)
        name = _one_name(names)
        if not texts and not remove:
            raise click.UsageError("nothing to change: write --key=value, or --remove KEY")
        _say(Workspace().update_component(type_, name, texts=texts, remove=remove), "updated")
        return 0

    return update


def _rename(type_: str, what: str) -> click.Command:
    @click.command("rename", help=f"Give the {what} NAME the name NEW_NAME, in the stacks that have it too.")
    @click.argument("name")
    @click.argument("new_name")
    def rename(name: str, new_name: str) -> int:
        _say(Workspace().rename_component(type_, name, new_name), "renamed")
        return 0

    return rename


def _copy(type_: str, what: str) -> click.Command:
    @click.command("copy", help=f"A new {what} NEW_NAME with the flavor and settings of NAME.")
    @click.argument("name")
    @click.argument("new_name")
    @click.option("--user", is_flag=True, help="Write to your own folder instead of the project's.")
    def copy(name: str, new_name: str, user: bool) -> int:
        _say(Workspace(user=user).copy_component(type_, name, new_name), "registered")
        return 0

    return copy


def _delete(type_: str, what: str) -> click.Command:
    @click.command("delete", help=f"Delete the {what} NAME; refused where a stack has it.")
    @click.argument("name")
    @click.option("-y", "--yes", is_flag=True, help="Do not ask.")
    def delete(name: str, yes: bool) -> int:
        workspace = Workspace()
        workspace.refuse_delete(type_, name)
        if not yes:
            click.confirm(f"delete {what} {name!r}?", abort=True)
        workspace.delete_component(type_, name)
        click.echo(f"{what} {name!r} deleted")
        return 0

    return delete
