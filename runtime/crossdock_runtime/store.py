"""The artifact store: objects under keys, in a local folder or in any bucket that obstore can open.

A local store is plain files: it needs no library and can be looked at with any tool. Objects appear whole
or not at all: they are written under `.tmp/` first, then linked or renamed into place. Nothing is forced to
disk, so a power cut may lose the last seconds; a killed process loses nothing that it was told is written.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from crossdock.dsl.errors import BadInput, StoreError
from crossdock_runtime import _files

_CHUNK = 8 * 1024 * 1024
_DELETE_BATCH = 1000
_CLIENT_OPTIONS = ("client_options", "retry_config", "credential_provider")
_MEMORY: dict[str, Any] = {}


class StoreKeyMissing(StoreError):
    """There is no object under a key."""

    id = "missing-object"


class Store:
    """Objects under keys such as `runs/r1/run.json`.

    Attributes:
        url: where the store is, as a URL.
        local_root: its folder when it is one on this machine, else None.
    """

    def __init__(self, url: str, local_root: Path | None, options: Mapping[str, object] | None = None) -> None:
        self.url = url
        self.local_root = local_root
        self._options = dict(options or {})
        self._root = str(local_root) + os.sep if local_root is not None else None
        self._remote: Any = None if local_root is not None else _connect(url, self._options)

    @classmethod
    def open(cls, url: str | os.PathLike[str], options: Mapping[str, object] | None = None) -> Self:
        """Open a store; a folder is created by the first write, not here.

        Args:
            url: `file:///…` or a plain path, `memory:///name` (shared in this process), or a bucket such as
                `s3://bucket/prefix` (every scheme of `obstore.store.from_url`).
            options: obstore's configuration of a remote store (`region`, `endpoint`, …); the names
                `client_options`, `retry_config` and `credential_provider` go to obstore as such.

        Raises:
            StoreError: obstore is not installed, or does not understand the URL or an option.
        """
        text = os.fspath(url)
        if "://" not in text:
            root = Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100 - keep symlinks as they are
            return cls(root.as_uri(), root, options)
        parts = urlsplit(text)
        if parts.scheme != "file":
            return cls(text.rstrip("/") if parts.path.strip("/") else text, None, options)
        if parts.netloc not in ("", "localhost"):
            raise StoreError(
                f"{text}: a file URL names no host, found {parts.netloc!r}",
                hint=f"write file:///{parts.netloc}{parts.path}, with three slashes",
                id="bad-store-url",
            )
        path = unquote(parts.path)
        root = Path(path[1:] if os.name == "nt" else path)
        return cls(root.as_uri(), root, options)

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Store.open, (self.url, self._options)

    def create(self, key: str, data: bytes) -> bool:
        """Write an object that must not exist yet; of several writers exactly one wins.

        Returns:
            True if this call wrote it, False if there is one already.

        Raises:
            StoreError: the store refused or cannot be reached.
        """
        if self._root is not None:
            path = self._path(key)
            with self._local("create", key):
                return _files.link_new(_files.stage(self._root, data), path)
        with self._remote_call("create", key) as store:
            import obstore

            try:
                obstore.put(store, _checked(key), data, mode="create")
            except (FileExistsError, obstore.exceptions.AlreadyExistsError):
                return False
        return True

    def replace(self, key: str, data: bytes) -> None:
        """Write an object, over one that exists; readers see the old or the new one.

        Raises:
            StoreError: the store refused or cannot be reached.
        """
        if self._root is not None:
            path = self._path(key)
            with self._local("write", key):
                _files.move(_files.stage(self._root, data), path)
            return
        with self._remote_call("write", key) as store:
            import obstore

            obstore.put(store, _checked(key), data)

    def read(self, key: str) -> bytes:
        """The bytes of an object.

        Raises:
            StoreKeyMissing: there is none.
            StoreError: the store refused or cannot be reached.
        """
        data = self.try_read(key)
        if data is None:
            raise self._missing(key)
        return data

    def try_read(self, key: str) -> bytes | None:
        """The bytes of an object, or None if there is none.

        Raises:
            StoreError: the store refused or cannot be reached.
        """
        if self._root is not None:
            path = self._path(key)
            try:
                with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - twice as fast as Path
                    return file.readall()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
            except OSError as error:
                raise self._failed("read", key, error) from error
        with self._remote_call("read", key) as store:
            import obstore

            try:
                return bytes(obstore.get(store, _checked(key)).bytes())
            except (FileNotFoundError, obstore.exceptions.NotFoundError):
                return None

    def exists(self, key: str) -> bool:
        """Whether there is an object under a key.

        Raises:
            StoreError: the store refused or cannot be reached.
        """
        if self._root is not None:
            return os.path.isfile(self._path(key))  # noqa: PTH113 - faster than Path
        with self._remote_call("look up", key) as store:
            import obstore

            try:
                obstore.head(store, _checked(key))
            except (FileNotFoundError, obstore.exceptions.NotFoundError):
                return False
        return True

    def keys(self, prefix: str = "", start_after: str | None = None) -> Iterator[str]:
        """Every key in a folder and the folders in it, in the order of their text.

        Args:
            prefix: a folder such as `runs/r1`; empty for the whole store.
            start_after: leave out keys up to and with this one.

        Raises:
            StoreError: the store refused or cannot be reached.
        """
        folder = prefix.strip("/")
        if self._root is not None:
            with self._local("list", folder):
                yield from _files.walk(self._path(folder) if folder else self._root, folder, start_after)
            return
        with self._remote_call("list", folder) as store:
            import obstore

            for batch in obstore.list(store, folder or None, offset=start_after, chunk_size=1000):
                for meta in batch:
                    # obstore drops a slash at the end of its offset, and so may start a little early.
                    if start_after is None or meta["path"] > start_after:
                        yield meta["path"]

    def children(self, prefix: str = "") -> tuple[list[str], list[str]]:
        """The names right inside a folder, sorted: of folders, and of objects.

        Raises:
            StoreError: the store refused or cannot be reached.
        """
        folder = prefix.strip("/")
        if self._root is not None:
            with self._local("list", folder):
                entries = _files.scan(self._path(folder) if folder else self._root, top=not folder)
                folders = [entry.name for entry in entries if entry.is_dir()]
                return folders, [entry.name for entry in entries if not entry.is_dir()]
        with self._remote_call("list", folder) as store:
            import obstore

            found = obstore.list_with_delimiter(store, folder or None)
            objects = [meta["path"].rpartition("/")[2] for meta in found["objects"]]
            return sorted(p.rpartition("/")[2] for p in found["common_prefixes"]), sorted(objects)

    def upload(self, key: str, path: Path) -> None:
        """Write an object from a file, in pieces, so that its size does not matter.

        Raises:
            StoreError: the store refused or cannot be reached, or the file cannot be read.
        """
        if self._root is not None:
            import shutil

            target = self._path(key)
            with self._local("write", key):
                staged = _files.staging_path(self._root)
                try:
                    shutil.copyfile(path, staged)
                    _files.move(staged, target)
                except BaseException:
                    _files.unlink(staged)
                    raise
            return
        with self._remote_call("write", key) as store:
            import obstore

            obstore.put(store, _checked(key), path, chunk_size=_CHUNK)

    def download(self, key: str, path: Path) -> None:
        """Copy an object into a file, in pieces; the file appears whole or not at all.

        Raises:
            StoreKeyMissing: there is no such object.
            StoreError: the store refused or cannot be reached, or the file cannot be written.
        """
        partial = path.with_name(f"{path.name}.part-{os.urandom(6).hex()}")
        try:
            if self._root is not None:
                import shutil

                source = self._path(key)
                if not os.path.isfile(source):  # noqa: PTH113 - faster than Path
                    raise self._missing(key)
                with self._local("read", key):
                    shutil.copyfile(source, partial)
                    partial.replace(path)
                return
            with self._remote_call("read", key) as store:
                import obstore

                try:
                    stream = obstore.get(store, _checked(key)).stream(min_chunk_size=_CHUNK)
                except (FileNotFoundError, obstore.exceptions.NotFoundError):
                    raise self._missing(key) from None
                with partial.open("wb") as file:
                    for chunk in stream:
                        file.write(chunk)
                partial.replace(path)
        finally:
            _files.unlink(str(partial))

    def local_path(self, key: str) -> Path | None:
        """The path of a key in a local store, else None; nothing need be there."""
        return Path(self._path(key)) if self._root is not None else None

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is not there is fine.

        Raises:
            StoreError: the store refused or cannot be reached.
        """
        if self._root is not None:
            for key in keys:
                path = self._path(key)
                with self._local("delete", key):
                    _files.unlink(path)
                    _files.prune(path, self._root)
            return
        pending = iter(keys)
        while batch := [_checked(key) for key in itertools.islice(pending, _DELETE_BATCH)]:
            with self._remote_call("delete", batch[0]) as store:
                import obstore

                with contextlib.suppress(FileNotFoundError, obstore.exceptions.NotFoundError):
                    obstore.delete(store, batch)
                    continue
                # The batch may have stopped at the missing one.
                for key in batch:
                    with contextlib.suppress(FileNotFoundError, obstore.exceptions.NotFoundError):
                        obstore.delete(store, key)

    def _path(self, key: str) -> str:
        return f"{self._root}{_checked(key)}"

    @contextlib.contextmanager
    def _local(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._failed(verb, key, error) from error

    @contextlib.contextmanager
    def _remote_call(self, verb: str, key: str) -> Iterator[Any]:
        from obstore.exceptions import BaseError

        try:
            yield self._remote
        except (BaseError, OSError, ValueError) as error:
            raise self._failed(verb, key, error) from error

    def _missing(self, key: str) -> StoreKeyMissing:
        return StoreKeyMissing(
            f"{self.url} has no object {key}",
            hint="check that this is the store of the run, and that the run was not deleted",
        )

    def _failed(self, verb: str, key: str, error: BaseException) -> StoreError:
        reason = getattr(error, "strerror", None) or str(error).strip().partition("\n")[0] or type(error).__name__
        what = key or "the top folder"
        return StoreError(f"cannot {verb} {what} in {self.url}: {reason}", hint=_advice(error))


def _connect(url: str, options: dict[str, Any]) -> Any:
    try:
        from obstore.store import from_url
    except ImportError as error:
        raise StoreError(f"{url} needs obstore: {error}", hint="pip install obstore", id="missing-library") from error
    if url.startswith("memory:"):
        return _MEMORY.setdefault(url, from_url("memory:///"))
    extra = {name: options[name] for name in _CLIENT_OPTIONS if name in options}
    config: Any = {name: value for name, value in options.items() if name not in extra}
    try:
        return from_url(url, config=config or None, **extra)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        hint = "use a folder, or file://, s3://, gs:// or az:// with options that obstore knows"
        raise StoreError(f"cannot open the store {url}: {reason}", hint=hint, id="bad-store-url") from error


def _advice(error: BaseException) -> str:
    import errno

    kind = type(error).__name__
    number = getattr(error, "errno", None)
    if number == errno.ENOSPC:
        return "free some disk space, or use a store elsewhere"
    if number in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV):
        return "use a folder on a file system that has hard links and that you may write to"
    if isinstance(error, PermissionError) or kind in ("PermissionDeniedError", "UnauthenticatedError"):
        return "check the permissions of this user, or the credentials of this bucket"
    if number is not None:
        return "check that the folder exists, can be written, and is a folder"
    return "check the URL, the network and the credentials, then try again"


def _checked(key: str) -> str:
    """A key that names something inside the store.

    Raises:
        BadInput: it is empty, absolute, leaves the store, or names its staging folder.
    """
    if key and "\0" not in key and "\\" not in key:
        parts = key.split("/")
        if not ("" in parts or "." in parts or ".." in parts or parts[0] == _files.STAGING):
            return key
    raise BadInput(
        f"{key!r} is not a key of a store", hint="join names by single slashes, without . or ..", id="bad-key"
    )
