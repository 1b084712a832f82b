"""Columns and JSON on the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import click

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
HELP = {"help_option_names": ["-h", "--help"]}


def spelled(name: str) -> str:
    """An option or a command in its one spelling: `--container_registry` is `--container-registry`."""
    return name.replace("_", "-") if name.startswith("--") or not name.startswith("-") else name


def print_json(body: Any) -> None:
    """One document on stdout."""
    click.echo(json.dumps(body, indent=1, default=str, ensure_ascii=False))


def columns(rows: Sequence[Sequence[str]], indent: str = "") -> None:
    """Rows whose columns stand below each other; one that is empty in every row is left out."""
    filled = [number for number in range(len(rows[0])) if any(row[number] for row in rows[1:] or rows)]
    widths = {number: max(len(row[number]) for row in rows) for number in filled}
    for row in rows:
        click.echo(indent + "  ".join(row[number].ljust(widths[number]) for number in filled).rstrip())


def settings_text(config: Any) -> str:
    """A configuration on one line: `path=… max_workers=4`."""
    return " ".join(
        f"{key}={value if isinstance(value, str) else json.dumps(value, default=str)}"
        for key, value in hidden(config).items()
    )


def hidden(value: Any) -> Any:
    """A configuration without what looks like a secret that somebody wrote into a file, where a reference should be."""
    if not isinstance(value, Mapping):
        return value
    return {
        key: "•••" if _SECRET.search(str(key)) and not _is_harmless(inner) else hidden(inner)
        for key, inner in value.items()
    }


def _is_harmless(value: Any) -> bool:
    from crossdock.dsl.secret_references import SECRET_SOURCES

    if isinstance(value, Mapping):
        return len(value) == 1 and set(value) <= set(SECRET_SOURCES)
    return value is None or isinstance(value, bool)


_SECRET = re.compile(r"passw|secret|token|credential|api_?key|access_?key|private_?key", re.IGNORECASE)
