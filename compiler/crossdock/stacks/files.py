"""Where definitions are kept: `.crossdock` of the project, else the user's own folder; one object a file.

.crossdock/stacks/<name>.yaml
.crossdock/components/<type>/<name>.yaml
.crossdock/local/                        what is personal; not for git
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock.stacks import documents
from crossdock.stacks.definitions import (
    BUILT_IN_COMPONENTS,
    BUILT_IN_STACK,
    DEFAULT,
    PROJECT,
    USER,
    ComponentDefinition,
    StackDefinition,
    check_name,
    dashed,
    title,
)
from crossdock.stacks.lock import locked

FOLDER = ".crossdock"
PERSONAL = "local"
_SUFFIX = ".yaml"
_LOCK = Path(PERSONAL, "lock")
_PATIENCE = 30
_IGNORE = ".gitignore"
_IGNORED = "# What is personal, such as the active stack; and what a killed process left behind.\n/local/\n*.tmp\n"


def user_folder() -> Path:
    """The folder of definitions that hold outside of projects too: `$CROSSDOCK_CONFIG`, else the user's settings."""
    given = os.environ.get("CROSSDOCK_CONFIG")
    if given:
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_dir("crossdock", appauthor=False))


def project_folder(start: Path | None = None) -> Path | None:
    """The nearest `.crossdock` upward, if there is one."""
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return None


def new_project_folder(start: Path | None = None) -> Path:
    """Where `.crossdock` is made: the project's root, else the working folder."""
    from crossdock.passes.project import find_root

    return find_root((start or Path.cwd()).absolute()) / FOLDER


class DefinitionFiles:
    """The definitions that hold in a folder: the project's, then the user's, then the built-in ones.

    Args:
        start: where the project is looked for; None is the working folder.
        user: writes go to the user's folder instead of the project's.
    """

    def __init__(self, start: Path | None = None, *, user: bool = False) -> None:
        self._start = start
        self._user = user

    @property
    def level(self) -> str:
        """That of new definitions."""
        return USER if self._user else PROJECT

    @property
    def writable(self) -> Path:
        """The folder that new definitions are written to."""
        if self._user:
            return user_folder()
        return project_folder(self._start) or new_project_folder(self._start)

    @property
    def _elsewhere(self) -> str:
        if self._user:
            return "change its permissions, or let CROSSDOCK_CONFIG name another folder"
        return "change its permissions, or add --user: that writes to your own folder"

    # Reading

    def stack_names(self) -> tuple[str, ...]:
        """Names of all stacks, sorted, `default` first."""
        return (DEFAULT, *(name for name in self._names("stacks") if name != DEFAULT))

    def component_names(self, type_: str, level: str = PROJECT) -> tuple[str, ...]:
        """Names of the components of a type that hold for a stack of a level, sorted, a built-in one first."""
        built_in = (DEFAULT,) if (type_, DEFAULT) in BUILT_IN_COMPONENTS else ()
        names = self._names(f"components/{type_}", level)
        return (*built_in, *(name for name in names if name not in built_in))

    def stack(self, name: str) -> StackDefinition:
        """A stack.

        Raises:
            BadInput: there is none of that name, or its file is damaged.
        """
        if name == DEFAULT:
            return BUILT_IN_STACK
        found = self._find("stacks", name)
        if found is None:
            raise BadInput(
                f"there is no stack {name!r}", hint=did_you_mean(name, self.stack_names()), id="unknown-stack"
            )
        level, file = found
        self._check_file_name(name, "a stack", file)
        return documents.read_stack(file, documents.shown_path(file), level)

    def component(self, type_: str, name: str, level: str = PROJECT) -> ComponentDefinition:
        """A component.

        Args:
            type_: its type.
            name: its name.
            level: that of the stack it is for; the user's stacks see the user's components only, as they hold
                outside of this project too.

        Raises:
            BadInput: there is none of that name, or its file is damaged.
        """
        built_in = BUILT_IN_COMPONENTS.get((type_, name))
        if built_in is not None:
            return built_in
        found = self._find(f"components/{type_}", name, level)
        if found is None:
            raise self.no_component(type_, name, level)
        level, file = found
        self._check_file_name(name, f"a component ({title(type_)})", file)
        return documents.read_component(type_, file, documents.shown_path(file), level)

    def no_component(self, type_: str, name: str, level: str = PROJECT) -> BadInput:
        """The error for a name that is not there."""
        names = self.component_names(type_, level)
        register = f"crossdock {dashed(type_)} register {name} --flavor FLAVOR"
        if level == USER and name in self.component_names(type_):
            hint = f"a stack of the user's own has components of the user's own: {register} --user"
            return BadInput(f"the {title(type_)} {name!r} is this project's", hint=hint, id="unknown-component")
        hint = did_you_mean(name, names) if names else register
        return BadInput(f"there is no {title(type_)} {name!r}", hint=hint, id="unknown-component")

    def stacks_with(self, type_: str, name: str) -> tuple[str, ...]:
        """Names of the stacks that a component is part of; a damaged file is passed over."""
        found = []
        for stack in self.stack_names():
            with contextlib.suppress(BadInput):
                if name in self.stack(stack).components.get(type_, ()):
                    found.append(stack)
        return tuple(found)

    def _levels(self, level: str) -> Iterator[tuple[str, Path]]:
        project = project_folder(self._start)
        if project is not None and level != USER:
            yield PROJECT, project
        yield USER, user_folder()

    def _names(self, below: str, level: str = PROJECT) -> tuple[str, ...]:
        found = {name for _, folder in self._levels(level) for name in _listed(folder / below)}
        return tuple(
            sorted(name[: -len(_SUFFIX)] for name in found if name.endswith(_SUFFIX) and not name.startswith("."))
        )

    def _find(self, below: str, name: str, level: str = PROJECT) -> tuple[str, Path] | None:
        for where, folder in self._levels(level):
            if f"{name}{_SUFFIX}" in _listed(folder / below):
                return where, folder / below / f"{name}{_SUFFIX}"
        return None

    def _check_file_name(self, name: str, what: str, file: Path) -> None:
        try:
            check_name(name, what)
        except BadInput as error:
            raise BadInput(
                error.message, where=documents.shown_path(file), hint="rename the file", id=error.id
            ) from None

    # Writing

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other process change definitions meanwhile, so that reading and writing again loses nothing.

        Raises:
            BadInput: the folder cannot be written, or another process does not end.
        """
        mine = self.writable
        is_new = not mine.exists()
        with contextlib.ExitStack() as held:
            for folder in sorted({mine, *(folder for folder in (user_folder(),) if folder.is_dir())}):
                try:
                    held.enter_context(locked(folder / _LOCK, _PATIENCE))
                except TimeoutError:
                    raise BadInput(
                        f"another process has changed definitions for {_PATIENCE} seconds",
                        where=documents.shown_path(folder / _LOCK),
                        hint="try again when it has ended",
                        id="locked",
                    ) from None
                except OSError as error:
                    if folder == mine:  # what nobody can write to needs no lock
                        raise cannot_write(folder, error, self._elsewhere) from None
            try:
                if mine.name == FOLDER and not (mine / _IGNORE).exists():
                    write_atomically(mine / _IGNORE, _IGNORED)
                yield
            except BaseException:
                if is_new:
                    _take_back(mine)
                raise

    def write(self, item: StackDefinition | ComponentDefinition, *, new: bool) -> Path:
        """Write a definition's file, whole or not at all.

        Args:
            item: one that is changed is written where it is; a new one to the folder of its level.
            new: it is to be a new one.

        Raises:
            BadInput: there is one of that name, or the file cannot be written.
        """
        below = "stacks" if isinstance(item, StackDefinition) else f"components/{item.type}"
        found = None if new else self._find(below, item.name)
        if found is None:
            self.refuse_taken(item)
        folder = user_folder() if item.level == USER else self.writable
        file = found[1] if found is not None else folder / below / f"{item.name}{_SUFFIX}"
        write_atomically(file, documents.dump(item.document()))
        return file

    def delete_stack(self, name: str) -> None:
        """Delete a stack's file."""
        self._delete("stacks", name)

    def delete_component(self, type_: str, name: str) -> None:
        """Delete a component's file."""
        self._delete(f"components/{type_}", name)

    def refuse_taken(self, item: StackDefinition | ComponentDefinition) -> None:
        """Nothing new has a name that is taken.

        Raises:
            BadInput: it is, or the name is none.
        """
        is_stack = isinstance(item, StackDefinition)
        what = "stack" if isinstance(item, StackDefinition) else title(item.type)
        below = "stacks" if isinstance(item, StackDefinition) else f"components/{item.type}"
        check_name(item.name, "a stack" if is_stack else f"a component ({what})")
        if item.name == DEFAULT:
            raise BadInput(f"the {what} {DEFAULT!r} is built in", hint="choose another name", id="built-in")
        for other in self._names(below):
            found = self._find(below, other)
            if other.lower() != item.name.lower() or found is None:
                continue
            message, hint = f"there is a {what} {other!r} already", "choose another name, or update it"
            if other != item.name:
                message = f"there is a {what} {other!r}; on some systems {item.name!r} is the same file"
            raise BadInput(message, where=documents.shown_path(found[1]), hint=hint, id="name-taken")

    def _delete(self, below: str, name: str) -> None:
        found = self._find(below, name)
        if found is None:
            return
        try:
            found[1].unlink(missing_ok=True)
        except OSError as error:
            raise cannot_write(found[1], error) from None


def _take_back(folder: Path) -> None:
    """Leave no new folder behind for a command that was refused; it stays where somebody else has written to it."""
    with contextlib.suppress(OSError):
        (folder / _LOCK).unlink()
        (folder / PERSONAL).rmdir()
        if {file.name for file in folder.iterdir()} <= {_IGNORE}:
            (folder / _IGNORE).unlink(missing_ok=True)
            folder.rmdir()


def _listed(folder: Path) -> frozenset[str]:
    """Names in a folder as they are spelled, also on a system that ignores case."""
    try:
        return frozenset(file.name for file in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()


def write_atomically(file: Path, text: str) -> None:
    """Write a whole file or nothing.

    Raises:
        BadInput: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.", suffix=".tmp")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            temporary.chmod(0o644)
            temporary.replace(file)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise cannot_write(file, error) from None


def cannot_write(file: Path, error: OSError, hint: str = "take another place, or change its permissions") -> BadInput:
    """The error for a place that the system refuses to write to."""
    return BadInput(
        f"cannot be written: {error.strerror or error}",
        where=documents.shown_path(file),
        hint=hint,
        id="not-writable",
    )
