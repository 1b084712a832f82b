"""Existing data at a URI, as an input."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput
from crossdock.dsl.frozen import frozen
from crossdock_runtime import values
from crossdock_runtime.store import Store, StoreKeyMissing


@frozen
class External:
    """A file or a folder at a URI or a path. Its digest is over its contents, so a changed file is a new input.

    Attributes:
        store: the run's, whose options are used for a bucket of the same vendor.
    """

    uri: str
    store: Store

    def _local(self) -> Path | None:
        if self.uri.startswith("file://"):
            return Path(self.uri.removeprefix("file://"))
        return None if "://" in self.uri else Path(self.uri).expanduser()

    @property
    def digest(self) -> str:
        path = self._local()
        if path is None:
            return self._remote_digest()
        if path.is_dir():
            members = sorted(item for item in path.rglob("*") if item.is_file())
            listed = [[item.relative_to(path).as_posix(), _digest(item)] for item in members]
            return values.digest(values.dumps(listed))
        return _digest(self._existing(path))

    def _existing(self, path: Path) -> Path:
        if not path.exists():
            raise BadInput(
                f"there is nothing at {self.uri!r}",
                hint="check the path; it is seen from the step",
                id="no-data-at-uri",
            )
        return path

    def _remote(self) -> tuple[Store, str]:
        head, _, name = self.uri.rstrip("/").rpartition("/")
        return self.store.at(head), name

    def _remote_digest(self) -> str:
        store, name = self._remote()
        found = hashlib.sha256()
        for key in self._keys(store, name):
            content, size = hashlib.sha256(), 0
            for piece in store.pieces(key):
                content.update(piece)
                size += len(piece)
            found.update(f"{len(key)}:{key}{size}:{content.hexdigest()}".encode())
        return f"sha256:{found.hexdigest()}"

    def _keys(self, store: Store, name: str) -> list[str]:
        keys = [name] if store.exists(name) else sorted(store.keys(name))
        if not keys:
            raise BadInput(
                f"there is nothing at {self.uri!r}", hint="check the URI and the credentials", id="no-data-at-uri"
            )
        return keys

    def load(self, as_type: Any, scratch: Callable[[], Path]) -> Any:
        path = self._local()
        if path is None:
            store, name = self._remote()
            folder = scratch()
            path = folder / name
            keys = self._keys(store, name)
            if keys == [name]:
                store.download(name, path)
            else:
                files = {key: folder / key for key in keys}
                for parent in {file.parent for file in files.values()}:
                    parent.mkdir(parents=True, exist_ok=True)
                sizes = {entry.key: entry.size for entry in store.entries(name)}
                for key, found in store.download_all(files, sizes):
                    if found is None:
                        raise StoreKeyMissing(f"{key} in {store.url} vanished while it was read", hint="try again")
        path = self._existing(path)
        if as_type is bytes:
            return path.read_bytes()
        return path.absolute()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
