"""Where definitions are kept: `.crossdock` of the project, else the user's own folder; one object a file.

.crossdock/stacks/<name>.yaml
.crossdock/components/<type>/<name>.yaml
.crossdock/local/                        what is personal; not for git
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput, did_you_mean
from crossdock.stacks import documents
from crossdock.stacks.definitions import (
    BUILT_IN_COMPONENTS,
    BUILT_IN_STACK,
    DEFAULT,
    ComponentDefinition,
    StackDefinition,
    check_name,
    title,
)

FOLDER = ".crossdock"
_SUFFIX = ".yaml"
_IGNORE = "# What is personal, such as the active stack.\n/local/\n"


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
    def folders(self) -> tuple[Path, ...]:
        """The folders that are read, the first wins."""
        project = project_folder(self._start)
        return tuple(folder for folder in (project, user_folder()) if folder is not None)

    @property
    def writable(self) -> Path:
        """The folder that new definitions are written to."""
        if self._user:
            return user_folder()
        return project_folder(self._start) or new_project_folder(self._start)

    # Reading

    def stack_names(self) -> tuple[str, ...]:
        """Names of all stacks, sorted, `default` first."""
        return (DEFAULT, *(name for name in self._names("stacks") if name != DEFAULT))

    def component_names(self, type_: str) -> tuple[str, ...]:
        """Names of all components of a type, sorted, a built-in one first."""
        built_in = (DEFAULT,) if (type_, DEFAULT) in BUILT_IN_COMPONENTS else ()
        return (*built_in, *(name for name in self._names(f"components/{type_}") if name not in built_in))

    def stack(self, name: str) -> StackDefinition:
        """A stack.

        Raises:
            BadInput: there is none of that name, or its file is damaged.
        """
        if name == DEFAULT:
            return BUILT_IN_STACK
        file = self._find("stacks", name)
        if file is None:
            names = self.stack_names()
            raise BadInput(f"there is no stack {name!r}", hint=did_you_mean(name, names))
        return documents.read_stack(file, documents.shown_path(file))

    def component(self, type_: str, name: str) -> ComponentDefinition:
        """A component.

        Raises:
            BadInput: there is none of that name, or its file is damaged.
        """
        built_in = BUILT_IN_COMPONENTS.get((type_, name))
        if built_in is not None:
            return built_in
        file = self._find(f"components/{type_}", name)
        if file is None:
            names = self.component_names(type_)
            hint = did_you_mean(name, names) if names else f"crossdock {type_.replace('_', '-')} register {name} …"
            raise BadInput(f"there is no {title(type_)} {name!r}", hint=hint)
        return documents.read_component(type_, file, documents.shown_path(file))

    def stacks_with(self, type_: str, name: str) -> tuple[str, ...]:
        """Names of the stacks that a component is part of; a damaged file is passed over."""
        found = []
        for stack in self.stack_names():
            with contextlib.suppress(BadInput):
                if name in self.stack(stack).components.get(type_, ()):
                    found.append(stack)
        return tuple(found)

    def _names(self, below: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for folder in self.folders:
            names = sorted(_listed(folder / below))
            found.update({name[: -len(_SUFFIX)]: None for name in names if name.endswith(_SUFFIX)})
        return tuple(sorted(name for name in found if not name.startswith(".")))

    def _find(self, below: str, name: str) -> Path | None:
        for folder in self.folders:
            if f"{name}{_SUFFIX}" in _listed(folder / below):
                return folder / below / f"{name}{_SUFFIX}"
        return None

    # Writing

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other process change definitions meanwhile, so that reading and writing again loses nothing."""
        from filelock import FileLock, Timeout

        personal = self._personal()
        try:
            with FileLock(personal / "lock", timeout=30):
                yield
        except Timeout:
            raise BadInput(
                f"another process has changed definitions for 30 seconds: {personal / 'lock'}",
                hint="try again when it has ended",
            ) from None

    def write_stack(self, stack: StackDefinition, *, new: bool) -> Path:
        """Write a stack's file, whole or not at all.

        Raises:
            BadInput: it is to be a new one, and there is one of that name.
        """
        check_name(stack.name, "a stack")
        return self._write("stacks", stack.name, stack.document(), new=new, what="stack")

    def write_component(self, component: ComponentDefinition, *, new: bool) -> Path:
        """Write a component's file, whole or not at all.

        Raises:
            BadInput: it is to be a new one, and there is one of that name.
        """
        what = title(component.type)
        check_name(component.name, f"a component ({what})")
        place = f"components/{component.type}"
        return self._write(place, component.name, component.document(), new=new, what=what)

    def delete_stack(self, name: str) -> None:
        """Delete a stack's file."""
        self._delete("stacks", name)

    def delete_component(self, type_: str, name: str) -> None:
        """Delete a component's file."""
        self._delete(f"components/{type_}", name)

    def _write(self, below: str, name: str, body: Mapping[str, Any], *, new: bool, what: str) -> Path:
        if name == DEFAULT:
            raise BadInput(f"the {what} {DEFAULT!r} is built in", hint="choose another name")
        there = {found.lower(): found for found in self._names(below)}
        other = there.get(name.lower())
        if new and other == name:
            raise BadInput(f"there is a {what} {name!r} already", hint="choose another name, or update it")
        if other is not None and other != name:
            raise BadInput(f"there is a {what} {other!r}; on some systems {name!r} is the same file")
        existing = None if new else self._find(below, name)
        file = existing or self.writable / below / f"{name}{_SUFFIX}"
        write_atomically(file, documents.dump(body))
        return file

    def _delete(self, below: str, name: str) -> None:
        file = self._find(below, name)
        if file is not None:
            file.unlink()

    def _personal(self) -> Path:
        folder = self.writable
        personal = folder / "local"
        personal.mkdir(parents=True, exist_ok=True)
        if folder.name == FOLDER and not (folder / ".gitignore").exists():
            write_atomically(folder / ".gitignore", _IGNORE)
        return personal


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
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
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
        raise BadInput(f"{documents.shown_path(file)} cannot be written: {error.strerror}") from None
