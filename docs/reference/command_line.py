"""A hook of MkDocs: writes the page of the command line from the commands themselves, whenever the site is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

PAGE = "reference/command-line.md"
PLACE = "<!-- commands -->"
SHOWN = "orchestrator"
"""Of the component types, whose commands are the same ones."""


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Called by MkDocs with the text of each page."""
    if page.file.src_uri != PAGE:
        return markdown
    if PLACE not in markdown:
        raise ValueError(f"{PAGE} has no {PLACE}")
    return markdown.replace(PLACE, "\n".join(commands()))


def commands() -> Iterator[str]:
    """Every command with what it takes."""
    from crossdock.cli.main import COMMANDS, cli

    same = [name for name in _component_types() if name in COMMANDS]
    if SHOWN in same:
        yield f"The verbs of `crossdock {SHOWN}` are those of every component type: `{'`, `'.join(same)}`."
        yield ""
    yield from _group(cli, click.Context(cli, info_name="crossdock"), "##")


def _component_types() -> list[str]:
    from crossdock.stacks.definitions import COMPONENT_TYPES

    return [type_.replace("_", "-") for type_ in COMPONENT_TYPES]


def _group(group: click.Group, context: click.Context, level: str) -> Iterator[str]:
    left_out = set(_component_types()) - {SHOWN}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if not command.hidden and name not in left_out:
            yield from _command(command, click.Context(command, info_name=name, parent=context), level)


def _command(command: click.Command, context: click.Context, level: str) -> Iterator[str]:
    yield f"{level} {context.command_path}"
    yield ""
    yield from (_text(line.strip()) for line in (command.help or command.short_help or "").splitlines())
    yield ""
    yield "```sh"
    yield " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield "```"
    yield ""
    options = [item for item in command.get_params(context) if isinstance(item, click.Option) and not item.hidden]
    rows = [_row(option, context) for option in options if "--help" not in option.opts]
    if rows:
        yield "| option | |"
        yield "| --- | --- |"
        yield from rows
        yield ""
    if isinstance(command, click.Group):
        yield from _group(command, context, f"{level}#")


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    names, text = record if record is not None else (", ".join(option.opts), "")
    return f"| `{names.replace('|', '/')}` | {_text(text)} |"


def _text(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("[", "\\[")
