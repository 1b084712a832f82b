"""A folder of exported files: it appears at once, or is replaced file by file with its lock last."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from crossdock.dsl.errors import BadInput
from crossdock.stacks.files import write_atomically

LOCK = "crossdock.lock"
"""The file that makes a folder a bundle, or a set of bundles: what is in it, with digests."""


def publish(folder: Path, files: Mapping[str, str]) -> None:
    """Write a bundle, in the place of an older one where there is one.

    Files of the older export that are not in the new one are deleted; files that no export wrote stay.

    Args:
        folder: where.
        files: name to text, with "/" for folders; the lock among them.

    Raises:
        BadInput: something else is there, or it cannot be written.
    """
    try:
        if not folder.exists() or (_is_empty(folder) and folder.resolve() != Path.cwd()):
            _appear(folder.absolute(), files)
            return
    except OSError as error:
        if not folder.is_dir() or _is_empty(folder):  # else another export has appeared there meanwhile
            raise _not_writable(folder, error) from None
    _replace(folder, files)


def _not_writable(folder: Path, error: OSError) -> BadInput:
    return BadInput(
        f"cannot write to {str(folder)!r}: {error.strerror}", hint="choose another -o DIR", id="not-writable"
    )


def listed(folder: Path) -> frozenset[str]:
    """Names of the files that the locks in a folder name, the locks included; nothing where there is no lock.

    Raises:
        BadInput: a lock is damaged.
    """
    body = read_lock(folder)
    if body is None:
        return frozenset()
    found = {LOCK, *body["files"]}
    for name in body["files"]:
        if PurePosixPath(name).name == LOCK:
            below = str(PurePosixPath(name).parent)
            found.update(f"{below}/{inner}" for inner in listed(folder / below))
    return frozenset(found)


def read_lock(folder: Path) -> dict[str, Any] | None:
    """A lock's document; None when there is none.

    Raises:
        BadInput: it is damaged, or of another version.
    """
    file = folder / LOCK
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{file} cannot be read: {error}", hint="crossdock export SOURCE -o ANOTHER", id="unreadable-bundle"
        ) from None
    try:
        body: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise BadInput(
            f"not a lock: {error}", where=str(file), hint="take it from git again, or export anew", id="bad-lock"
        ) from None
    files = body.get("files") if isinstance(body, dict) else None
    if not isinstance(files, dict) or not all(_is_inside(name) for name in files):
        raise BadInput(
            "not a lock: it lists no files of its folder", where=str(file), hint="export anew", id="bad-lock"
        )
    version = body.get("crossdock_bundle")
    if version != 1:
        raise BadInput(
            f"the bundle has version {version!r}, this installation reads 1", where=str(file), id="bundle-version"
        )
    return body


def _is_inside(name: object) -> bool:
    if not isinstance(name, str) or not name or "\\" in name or ":" in name:
        return False
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and str(path) == name


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and next(folder.iterdir(), None) is None


def _appear(folder: Path, files: Mapping[str, str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
    try:
        scratch.mkdir()
        for name, text in files.items():
            write_atomically(scratch / name, text)
        if folder.exists():
            folder.rmdir()
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _replace(folder: Path, files: Mapping[str, str]) -> None:
    before = listed(folder)
    if not before and not _is_empty(folder):
        what = "a file" if folder.is_file() else "not empty, and no bundle is in it"
        raise BadInput(f"{str(folder)!r} is {what}", hint="choose a new folder: -o DIR", id="not-a-bundle")
    for name in files:
        file = folder / name
        if name not in before and file.exists() and not _holds(file, files[name]):
            raise BadInput(
                f"{str(file)!r} is there, and no export wrote it",
                hint="move it away, or choose another -o",
                id="foreign-file",
            )
    for name in _lock_last(files):
        write_atomically(folder / name, files[name])
    for name in sorted(before - files.keys()):
        _remove(folder, name)


def _lock_last(files: Mapping[str, str]) -> Iterator[str]:
    """Locks after what they list, the outermost at the end: a killed export is seen as one that was tampered with."""
    yield from sorted(files, key=lambda name: (name == LOCK, PurePosixPath(name).name == LOCK, name))


def _holds(file: Path, text: str) -> bool:
    return file.is_file() and file.read_bytes() == text.encode()


def _remove(folder: Path, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        (folder / name).unlink()
    for parent in list(PurePosixPath(name).parents)[:-1]:
        with contextlib.suppress(OSError):  # not empty: somebody keeps files of their own there
            (folder / parent).rmdir()
