"""A store in a folder of this machine.

It is plain files: it needs no library and can be looked at with any tool. Objects appear whole or not at all: they
are written under `.tmp/` first, then linked or renamed into place. Nothing is forced to disk, so a power cut may lose
the last seconds; a killed process loses nothing that it was told is written.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path

from crossdock.dsl.errors import StoreError
from crossdock_runtime import _files
from crossdock_runtime.store import Entry, Piece, Store, checked

_PIECE = 4 * 1024 * 1024


class LocalStore(Store):
    """Objects as files below a folder."""

    def __init__(self, root: Path, options: Mapping[str, object] | None = None) -> None:
        super().__init__(root.as_uri(), root, options)
        self._root = str(root) + os.sep

    def create(self, key: str, data: bytes) -> bool:
        path = self._path(key)
        with self._calling("create", key):
            return _files.link_new(_files.stage(self._root, data), path)

    def replace(self, key: str, data: bytes) -> None:
        path = self._path(key)
        with self._calling("write", key):
            _files.move(_files.stage(self._root, data), path)

    def try_read(self, key: str) -> bytes | None:
        path = self._path(key)
        try:
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - twice as fast as Path
                return file.readall()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise self._failed("read", key, error) from error

    def pieces(self, key: str) -> Generator[Piece, None, None]:
        path = self._path(key)
        if not os.path.isfile(path):  # noqa: PTH113 - faster than Path
            raise self._missing(key)
        with self._calling("read", key), open(path, "rb", buffering=0) as file:  # noqa: PTH123
            while piece := file.read(_PIECE):
                yield piece

    def exists(self, key: str) -> bool:
        return os.path.isfile(self._path(key))  # noqa: PTH113 - faster than Path

    def keys(self, prefix: str = "", start_after: str | None = None) -> Iterator[str]:
        folder = prefix.strip("/")
        with self._calling("list", folder):
            yield from _files.walk(self._path(folder) if folder else self._root, folder, start_after)

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        for key in self.keys(prefix):
            with self._calling("list", key):
                try:
                    found = os.stat(self._path(key))  # noqa: PTH116 - faster than Path
                except FileNotFoundError:
                    continue
            yield Entry(key, found.st_size, found.st_mtime)

    def children(self, prefix: str = "") -> tuple[list[str], list[str]]:
        folder = prefix.strip("/")
        with self._calling("list", folder):
            entries = _files.scan(self._path(folder) if folder else self._root, top=not folder)
            folders = [entry.name for entry in entries if entry.is_dir()]
            return folders, [entry.name for entry in entries if not entry.is_dir()]

    def upload(self, key: str, path: Path) -> str:
        target = self._path(key)
        with self._calling("write", key):
            staged = _files.staging_path(self._root)
            try:
                with path.open("rb", buffering=0) as source:
                    digest = _write(staged, iter(lambda: source.read(_PIECE), b""))
                _files.move(staged, target)
            except BaseException:
                _files.unlink(staged)
                raise
        return digest

    def download(self, key: str, path: Path) -> str:
        partial = path.with_name(f"{path.name}.part-{os.urandom(6).hex()}")
        try:
            with self._calling("read", key):
                digest = _write(str(partial), self.pieces(key))
                partial.replace(path)
        finally:
            _files.unlink(str(partial))
        return digest

    def local_path(self, key: str) -> Path:
        return Path(self._path(key))

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            path = self._path(key)
            with self._calling("delete", key):
                _files.unlink(path)
                _files.prune(path, self._root)

    def _path(self, key: str) -> str:
        return f"{self._root}{checked(key)}"

    @contextlib.contextmanager
    def _calling(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._failed(verb, key, error) from error

    def _failed(self, verb: str, key: str, error: OSError) -> StoreError:
        reason = error.strerror or str(error).strip().partition("\n")[0] or type(error).__name__
        return StoreError(f"cannot {verb} {key or 'the top folder'} in {self.url}: {reason}", hint=_advice(error))


def _write(path: str, pieces: Iterator[Piece]) -> str:
    """Write a file; returns its digest."""
    import hashlib

    found = hashlib.sha256()
    with open(path, "wb") as file:  # noqa: PTH123
        for piece in pieces:
            found.update(piece)
            file.write(piece)
    return f"sha256:{found.hexdigest()}"


def _advice(error: OSError) -> str:
    import errno

    if error.errno == errno.ENOSPC:
        return "free some disk space, or use a store elsewhere"
    if error.errno in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV):
        return "use a folder on a file system that has hard links and that you may write to"
    if isinstance(error, PermissionError):
        return "check the permissions of this user"
    return "check that the folder exists, can be written, and is a folder"
