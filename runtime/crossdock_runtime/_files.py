"""Files of a local store, which appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

from crossdock_runtime.store import STAGING

_TRIES = 100


def staging_path(root: str) -> str:
    """A new name in the staging folder of a store, which is made if need be."""
    os.makedirs(f"{root}{STAGING}", exist_ok=True)  # noqa: PTH103 - faster than Path
    return _staged_name(root)


def _staged_name(root: str) -> str:
    return f"{root}{STAGING}{os.sep}{os.getpid()}-{os.urandom(8).hex()}"


def stage(root: str, data: bytes) -> str:
    """Write a file in the staging folder.

    Returns:
        Its path.
    """
    staged = _staged_name(root)
    try:
        file = _create(staged)
    except FileNotFoundError:
        staged = staging_path(root)
        file = _create(staged)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
    except BaseException:
        unlink(staged)
        raise
    finally:
        os.close(file)
    return staged


def _create(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)


def unlink(path: str) -> None:
    """Remove a file; one that is not there is fine."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(path)  # noqa: PTH108 - faster than Path


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def link_new(staged: str, path: str) -> bool:
    """Give a staged file its name unless that is taken; the staged name is gone afterwards."""
    try:
        _place(os.link, staged, path)
    except FileExistsError:
        return False
    finally:
        unlink(staged)
    return True


def move(staged: str, path: str) -> None:
    """Give a staged file its name, over a file that has it."""
    try:
        _place(os.replace, staged, path)
    except BaseException:
        unlink(staged)
        raise


def _place(act: Callable[[str, str], None], staged: str, path: str) -> None:
    # A deletion may prune the folder between its creation and the act, so one try is not enough.
    for _ in range(_TRIES):
        try:
            return act(staged, path)
        except FileNotFoundError:
            with contextlib.suppress(FileNotFoundError):
                os.makedirs(_parent(path), exist_ok=True)  # noqa: PTH103
    return act(staged, path)


def prune(path: str, root: str) -> None:
    """Remove the folders that a deletion left empty."""
    folder = _parent(path)
    while len(folder) > len(root):
        try:
            os.rmdir(folder)  # noqa: PTH106 - faster than Path
        except OSError:
            return
        folder = _parent(folder)


def scan(path: str, *, top: bool) -> list[os.DirEntry[str]]:
    """Entries of a folder in the order of the keys below them; none if there is no folder."""
    try:
        with os.scandir(path) as found:
            entries = [entry for entry in found if not (top and entry.name == STAGING)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(entries, key=lambda entry: entry.name + "/" if entry.is_dir() else entry.name)


def walk(path: str, folder: str, start_after: str | None) -> Iterator[str]:
    """The keys in a folder, in the order of their text."""
    for entry in scan(path, top=not folder):
        key = f"{folder}/{entry.name}" if folder else entry.name
        if entry.is_dir():
            if start_after is None or not _before(key, start_after):
                yield from walk(entry.path, key, start_after)
        elif start_after is None or key > start_after:
            yield key


def _before(folder: str, start_after: str) -> bool:
    """Whether every key in a folder comes before a key, so that the folder need not be read."""
    return f"{folder}/" < start_after and not start_after.startswith(f"{folder}/")
