"""How the command line says that something is wrong: for people on stderr, with `--json` for programs on stdout."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Sequence

import click

from crossdock.dsl.errors import BadInput, CrossdockError

_JSON = "--json"
_IDS = {
    "UnknownCommand": "unknown-command",
    "NoSuchCommand": "unknown-command",
    "NoSuchOption": "unknown-option",
    "MissingParameter": "missing-argument",
    "BadOptionUsage": "missing-argument",
    "BadParameter": "bad-argument",
    "ClickException": "wrong-usage",
}
"""Ids of click's own errors, by name: some are not in every version of it."""


def report(error: Exception, arguments: Sequence[str]) -> int:
    """Say an error; returns the exit code.

    Args:
        error: what was raised.
        arguments: the command line, for whether it asks for JSON.
    """
    found = _as_ours(error, arguments)
    if _JSON in arguments:
        click.echo(json.dumps({"error": found.document()}, indent=1))
    click.echo(f"crossdock: {found.text(ids=True)}", err=True)
    return found.exit_code


def _as_ours(error: Exception, arguments: Sequence[str]) -> CrossdockError:
    if isinstance(error, CrossdockError):
        return error
    if isinstance(error, click.ClickException):
        return _usage(error, arguments)
    if _folder_is_gone():
        return BadInput("the working folder is gone", hint="cd to one that is there", id="no-working-folder")
    message = f"{type(error).__name__}: {error}"
    return CrossdockError(message, where=_users_line(error), hint="add --debug to see where", id="internal-error")


def _usage(error: click.ClickException, arguments: Sequence[str]) -> BadInput:
    message = error.format_message().rstrip(".")
    message = message[:1].lower() + message[1:]
    context = getattr(error, "ctx", None)
    if context is None:
        words = " ".join(word for word in arguments[:1] if word.isidentifier())
        return BadInput(message, hint=f"crossdock {words} --help".replace("  ", " "), id=_id_of(error))
    usage = " ".join(context.get_usage().split()).removeprefix("Usage: ")
    return BadInput(message, hint=f"{usage}; more: {context.command_path} --help", id=_id_of(error))


def _id_of(error: click.ClickException) -> str:
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return next(id for kind, id in _IDS.items() if kind in kinds)


class UnknownCommand(click.UsageError):
    """A command that there is not."""


def _folder_is_gone() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - pathlib is not loaded for this
    except FileNotFoundError:
        return True
    return False


def _users_line(error: BaseException) -> str | None:
    """The innermost line outside of crossdock and of the standard library."""
    import sysconfig
    import traceback
    from pathlib import Path

    ours = tuple(
        f"{Path(module.__file__ or '').absolute().parent}{os.sep}"
        for module in (importlib.import_module("crossdock"), importlib.import_module("crossdock_runtime"))
    )
    library = sysconfig.get_paths()["stdlib"]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith((*ours, library, "<")):
            return f"{frame.filename}:{frame.lineno}"
    return None
