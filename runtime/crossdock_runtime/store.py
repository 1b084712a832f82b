"""The artifact store: objects under keys, in a local folder or in any bucket that obstore can open.

This is what both have in common; a folder is in `local_store`, a bucket in `remote_store`, and each is imported when
it is opened.
"""

from __future__ import annotations

import abc
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from crossdock.dsl.errors import BadInput, StoreError
from crossdock.dsl.frozen import frozen

STAGING = ".tmp"
"""The folder in a local store, hidden from listings, where files are written before they get their names."""


Piece: TypeAlias = "bytes | memoryview"
Downloads: TypeAlias = Generator[tuple[str, "str | None"], None, None]
"""Each key with its digest as it is done, None where there is no such object."""


@frozen
class Entry:
    """An object as a listing shows it: its size in bytes, and when it was written, in seconds since 1970."""

    key: str
    size: int
    written: float


class StoreKeyMissing(StoreError):
    """There is no object under a key."""

    id = "missing-object"


class Store(abc.ABC):
    """Objects under keys such as `runs/r1/run.json`.

    Attributes:
        url: where the store is, as a URL.
        local_root: its folder when it is one on this machine, else None.
    """

    def __init__(self, url: str, local_root: Path | None, options: Mapping[str, object] | None = None) -> None:
        self.url = url
        self.local_root = local_root
        self._options = dict(options or {})

    @staticmethod
    def open(url: str | os.PathLike[str], options: Mapping[str, object] | None = None) -> Store:
        """Open a store; a folder is created by the first write, not here, and no bucket is asked yet.

        Args:
            url: `file:///…` or a plain path, `memory:///name` (shared in this process), or a bucket: `s3://…`,
                `gs://…`, `az://…`, `abfs://…`, each with a prefix or without.
            options: of a remote store, as `remote_connect.connect` takes them.

        Raises:
            StoreError: obstore is not installed, or does not understand the URL or an option.
        """
        text = os.fspath(url)
        if "://" in text and not text.startswith("file:"):
            from crossdock_runtime.remote_store import RemoteStore

            return RemoteStore(text, options)
        from crossdock_runtime.local_store import LocalStore

        if "://" not in text:
            return LocalStore(Path(os.path.abspath(Path(text).expanduser())), options)  # noqa: PTH100 - keeps symlinks
        parts = urlsplit(text)
        if parts.netloc not in ("", "localhost"):
            raise StoreError(
                f"{text}: a file URL names no host, found {parts.netloc!r}",
                hint=f"write file:///{parts.netloc}{parts.path}, with three slashes",
                id="bad-store-url",
            )
        path = unquote(parts.path)
        return LocalStore(Path(path[1:] if os.name == "nt" else path), options)

    def at(self, url: str) -> Store:
        """The store at another URL; where it is the same vendor's, with the options of this one.

        Raises:
            StoreError: as `open`.
        """
        return Store.open(url, self._options if _vendor(url) == _vendor(self.url) else None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Store.open, (self.url, self._options)

    @abc.abstractmethod
    def create(self, key: str, data: bytes) -> bool:
        """Write an object that must not exist yet; of several writers exactly one wins.

        Returns:
            True if this call wrote it, False if there is one already.

        Raises:
            StoreError: the store refused or cannot be reached.
        """

    @abc.abstractmethod
    def replace(self, key: str, data: bytes) -> None:
        """Write an object, over one that exists; readers see the old or the new one.

        Raises:
            StoreError: the store refused or cannot be reached.
        """

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

    @abc.abstractmethod
    def try_read(self, key: str) -> bytes | None:
        """The bytes of an object, or None if there is none.

        Raises:
            StoreError: the store refused or cannot be reached.
        """

    @abc.abstractmethod
    def pieces(self, key: str) -> Generator[Piece, None, None]:
        """The bytes of an object from start to end, a few megabytes at a time.

        Raises:
            StoreKeyMissing: there is no such object.
            StoreError: the store refused or cannot be reached, or the object changed meanwhile.
        """

    @abc.abstractmethod
    def exists(self, key: str) -> bool:
        """Whether there is an object under a key.

        Raises:
            StoreError: the store refused or cannot be reached.
        """

    @abc.abstractmethod
    def keys(self, prefix: str = "", start_after: str | None = None) -> Iterator[str]:
        """Every key in a folder and the folders in it, in the order of their text.

        SeaweedFS and S3's directory buckets have their own order, which is that of the text within one folder.

        Args:
            prefix: a folder such as `runs/r1`; empty for the whole store.
            start_after: leave out keys up to and with this one.

        Raises:
            StoreError: the store refused or cannot be reached.
        """

    @abc.abstractmethod
    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """As `keys`, with what else a listing shows; what is deleted meanwhile may be left out.

        Raises:
            StoreError: the store refused or cannot be reached.
        """

    @abc.abstractmethod
    def children(self, prefix: str = "") -> tuple[list[str], list[str]]:
        """The names right inside a folder, sorted: of folders, and of objects.

        Raises:
            StoreError: the store refused or cannot be reached.
        """

    @abc.abstractmethod
    def upload(self, key: str, path: Path) -> str:
        """Write an object from a file, in pieces, so that its size does not matter.

        Returns:
            The digest of what was written, `sha256:<hex>`.

        Raises:
            StoreError: the store refused or cannot be reached, or the file cannot be read.
        """

    def upload_all(self, files: Mapping[str, Path]) -> dict[str, str]:
        """Write an object for each file, several at once where that is faster.

        Args:
            files: key to path.

        Returns:
            Key to digest.

        Raises:
            StoreError: as `upload`.
        """
        return {key: self.upload(key, path) for key, path in files.items()}

    @abc.abstractmethod
    def download(self, key: str, path: Path) -> str:
        """Copy an object into a file, in pieces; the file appears whole or not at all.

        Returns:
            The digest of what was read, `sha256:<hex>`.

        Raises:
            StoreKeyMissing: there is no such object.
            StoreError: the store refused or cannot be reached, or the file cannot be written.
        """

    def download_all(self, files: Mapping[str, Path], sizes: Mapping[str, int]) -> Downloads:
        """Copy objects into files, several at once where that is faster.

        Args:
            files: key to path.
            sizes: key to bytes, so that no more than fit into memory are moved at once.

        Raises:
            StoreError: as `download`.
        """
        for key, path in files.items():
            yield key, self._download_if_there(key, path)

    def _download_if_there(self, key: str, path: Path) -> str | None:
        try:
            return self.download(key, path)
        except StoreKeyMissing:
            return None

    def local_path(self, key: str) -> Path | None:
        """The path of a key in a local store, else None; nothing need be there."""
        return None

    @abc.abstractmethod
    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; one that is not there is fine.

        Raises:
            StoreError: the store refused or cannot be reached.
        """

    def _missing(self, key: str) -> StoreKeyMissing:
        return StoreKeyMissing(
            f"{self.url} has no object {key}",
            hint="check that this is the store of the run, and that the run was not deleted",
        )


def _vendor(url: str) -> str:
    scheme = url.partition("://")[0] if "://" in url else "file"
    return "az" if scheme in ("abfs", "abfss") else scheme


def checked(key: str) -> str:
    """A key that names something inside the store.

    Raises:
        BadInput: it is empty, absolute, leaves the store, or names its staging folder.
    """
    if key and "\0" not in key and "\\" not in key:
        parts = key.split("/")
        if not ("" in parts or "." in parts or ".." in parts or parts[0] == STAGING):
            return key
    raise BadInput(
        f"{key!r} is not a key of a store", hint="join names by single slashes, without . or ..", id="bad-key"
    )
