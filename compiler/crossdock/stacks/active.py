"""Which stack is active, and who decided that."""

from __future__ import annotations

import os
from pathlib import Path

from crossdock.dsl.frozen import frozen
from crossdock.stacks.definitions import DEFAULT
from crossdock.stacks.files import PERSONAL, project_folder, user_folder, write_atomically

VARIABLE = "CROSSDOCK_STACK"
_FILE = Path(PERSONAL, "active-stack")


@frozen
class Active:
    """The active stack.

    Attributes:
        name: its name.
        decided_by: in words, for `stack describe`.
    """

    name: str
    decided_by: str


def active_stack(given: str | None = None, start: Path | None = None) -> Active:
    """The first that says so: what is given, `CROSSDOCK_STACK`, the project, the user's setting, else `default`.

    Args:
        given: from `--stack` or `Client(stack=…)`.
        start: where the project is looked for; None is the working folder.
    """
    if given:
        return Active(given, "--stack")
    named = os.environ.get(VARIABLE)
    if named:
        return Active(named, f"the environment variable {VARIABLE}")
    project = project_folder(start)
    for folder, what in ((project, "this project"), (user_folder(), "the user's setting")):
        name = _read(folder / _FILE) if folder is not None else None
        if name:
            return Active(name, f"{what} (crossdock stack set)")
    return Active(DEFAULT, "nothing else: it is the default")


def activate(name: str, folder: Path) -> Path:
    """Make a stack the active one of a project or user; returns the file that says so."""
    write_atomically(folder / _FILE, f"{name}\n")
    return folder / _FILE


def forget(name: str, replacement: str | None, start: Path | None = None) -> None:
    """A stack is gone, or has a new name: where it was the active one, so is the replacement, or none."""
    for folder in (project_folder(start), user_folder()):
        if folder is None or _read(folder / _FILE) != name:
            continue
        if replacement:
            write_atomically(folder / _FILE, f"{replacement}\n")
        else:
            (folder / _FILE).unlink(missing_ok=True)


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
