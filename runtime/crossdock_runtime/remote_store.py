"""A store in a bucket, through obstore.

Where EXECUTION.md needs a rename, a bucket has the conditional put: an object is created if there is none. An answer
that got lost makes it ambiguous who created it, so each creation carries a mark of its own, and a writer who is told
that the object exists reads whose mark it has.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TypeVar

from crossdock.dsl.errors import StoreError
from crossdock_runtime import remote_connect, remote_errors
from crossdock_runtime.store import Downloads, Entry, Piece, Store, StoreKeyMissing, checked

PIECE = 8 * 1024 * 1024
"""Bytes of a part of an upload. An object of at most so many is moved by one request."""
AT_ONCE = 8
"""Parts of an upload at once."""
REQUEST = 256 * 1024 * 1024
"""Bytes of one request that reads a large object; it has to be over within the time that a request may take."""
CHUNK = 4 * 1024 * 1024
"""Bytes that are handed on at once, at least; a request of its own for each takes twice the CPU."""
LARGE_AT_ONCE = 3
"""Large objects that are read at once."""
SMALL_AT_ONCE = 16
"""Small objects at once; as many are in memory."""
MOST_PARTS = 10_000
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html, and no vendor takes fewer."""
FIRST_SECONDS = 10.0
"""Patience with a store that has not answered yet: it may be that its address is wrong."""
LATER_SECONDS = 90.0
"""Patience with one that has: a step may have run for hours."""
_MARK = "crossdock_writer"
_DELETE_BATCH = 1000

T = TypeVar("T")


class RemoteStore(Store):
    """Objects in a bucket, below a prefix."""

    def __init__(self, url: str, options: Mapping[str, object] | None = None) -> None:
        super().__init__(url.rstrip("/") if url.partition("://")[2].strip("/") else url, None, options)
        prefix = remote_connect.split(url)[1]
        self._prefix = f"{prefix}/" if prefix else ""
        self._records = remote_connect.connect(self.url, self._options)
        self._data_client: Any = None
        self._answered = False

    @property
    def _data(self) -> Any:
        if self._data_client is None:
            self._data_client = remote_connect.connect(self.url, self._options, data=True)
        return self._data_client

    def create(self, key: str, data: bytes) -> bool:
        import obstore

        place, mark = self._place(key), os.urandom(12).hex()
        client = self._client_for(len(data))

        def act() -> bool:
            for turn in itertools.count(1):
                try:
                    obstore.put(client, place, data, mode="create", attributes={_MARK: mark})
                except obstore.exceptions.AlreadyExistsError:
                    # An earlier try of this very call may have been the one that created it.
                    try:
                        found = obstore.get(client, place, options={"head": True})
                    except FileNotFoundError:
                        # S3 also says so while another writer is at it, who then may fail.
                        if turn == 10:
                            raise
                        time.sleep(turn / 20)
                        continue
                    return found.attributes.get(_MARK) == mark
                return True
            raise AssertionError

        return self._call("create", key, act)

    def replace(self, key: str, data: bytes) -> None:
        import obstore

        place, client = self._place(key), self._client_for(len(data))
        self._call("write", key, lambda: obstore.put(client, place, data, use_multipart=False))

    def try_read(self, key: str) -> bytes | None:
        try:
            return b"".join(self.pieces(key))
        except StoreKeyMissing:
            return None

    def pieces(self, key: str) -> Generator[Piece, None, None]:
        import obstore

        place = self._place(key)
        stream: Iterator[Any] | None = None

        def first() -> tuple[int, str | None, Piece | None]:
            nonlocal stream
            found = obstore.get(self._records, place)
            size = found.meta["size"]
            if size <= PIECE:
                return size, None, _of_length(found.bytes(), size)
            stream = iter(found.stream(min_chunk_size=CHUNK))
            return size, found.meta["e_tag"], None

        size, tag, whole = self._call("read", key, first)
        if whole is not None:
            yield whole
            return
        at, end = 0, size

        def piece() -> Piece:
            nonlocal stream, end
            if stream is None:
                end = min(at + REQUEST, size)
                found = obstore.get(self._data, place, options={"range": (at, end)})
                if found.meta["e_tag"] != tag:
                    raise StoreError(f"{key} in {self.url} changed while it was read", hint="try again")
                stream = iter(found.stream(min_chunk_size=CHUNK))
            try:
                data = next(stream, None)
            except BaseException:
                stream = None  # go on where it was cut off
                raise
            if data is None:
                stream = None
                raise OSError(f"HTTP error: {at} of {size} bytes came")
            return memoryview(data)

        while at < size:
            data = self._call("read", key, piece)
            at += len(data)
            if at >= end:
                stream = None
            yield data

    def exists(self, key: str) -> bool:
        import obstore

        place = self._place(key)
        try:
            self._call("look up", key, lambda: obstore.head(self._records, place))
        except StoreKeyMissing:
            return False
        return True

    def keys(self, prefix: str = "", start_after: str | None = None) -> Iterator[str]:
        for entry in self._listed(prefix, start_after):
            yield entry.key

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        return self._listed(prefix, None)

    def _listed(self, prefix: str, start_after: str | None) -> Iterator[Entry]:
        import obstore

        folder, behind = prefix.strip("/"), start_after
        pages: Iterator[Any] | None = None

        def page() -> Any:
            nonlocal pages
            if pages is None:
                offset = None if behind is None else self._prefix + behind
                pages = iter(obstore.list(self._records, self._folder(folder), offset=offset, chunk_size=1000))
            try:
                return next(pages, None)
            except BaseException:
                pages = None  # begin again behind the last key that was handed out
                raise

        while (batch := self._call("list", folder, page)) is not None:
            found = [
                Entry(meta["path"].removeprefix(self._prefix), meta["size"], meta["last_modified"].timestamp())
                for meta in batch
            ]
            # obstore drops a slash at the end of its offset, and so may start a little early.
            yield from (entry for entry in found if start_after is None or entry.key > start_after)
            behind = found[-1].key if found else behind

    def children(self, prefix: str = "") -> tuple[list[str], list[str]]:
        import obstore

        folder = prefix.strip("/")
        found = self._call("list", folder, lambda: obstore.list_with_delimiter(self._records, self._folder(folder)))
        objects = [meta["path"].rpartition("/")[2] for meta in found["objects"]]
        return sorted(path.rpartition("/")[2] for path in found["common_prefixes"]), sorted(objects)

    def upload(self, key: str, path: Path) -> str:
        import obstore

        place = self._place(key)

        def act() -> str:
            found = hashlib.sha256()
            with self._reading(path), path.open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                if size <= PIECE:
                    data = file.read()
                    found.update(data)
                    obstore.put(self._client_for(size), place, data, use_multipart=False)
                else:
                    length = max(PIECE, -(-size // MOST_PARTS))

                    def parts() -> Iterator[bytes]:
                        while part := _read(file, length):
                            found.update(part)
                            yield part

                    at_once = max(2, AT_ONCE * PIECE // length)
                    obstore.put(self._data, place, parts(), chunk_size=length, max_concurrency=at_once)
            return f"sha256:{found.hexdigest()}"

        return self._call("write", key, act)

    def upload_all(self, files: Mapping[str, Path]) -> dict[str, str]:
        sizes = {}
        for key, path in files.items():
            with self._reading(path):
                sizes[key] = path.stat().st_size
        small = {key: path for key, path in files.items() if sizes[key] <= PIECE}
        found = dict(self._at_once(self.upload, small))
        found.update((key, self.upload(key, path)) for key, path in files.items() if key not in small)
        return found

    def download(self, key: str, path: Path) -> str:
        partial = path.with_name(f"{path.name}.part-{os.urandom(6).hex()}")
        found = hashlib.sha256()
        try:
            with contextlib.closing(self.pieces(key)) as pieces, self._reading(path), partial.open("wb") as file:
                for piece in pieces:
                    found.update(piece)
                    file.write(piece)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        return f"sha256:{found.hexdigest()}"

    def download_all(self, files: Mapping[str, Path], sizes: Mapping[str, int]) -> Downloads:
        small = {key: path for key, path in files.items() if sizes[key] <= PIECE}
        yield from self._at_once(self._download_if_there, small)
        large = {key: path for key, path in files.items() if key not in small}
        yield from self._at_once(self._download_if_there, large, LARGE_AT_ONCE)

    def delete(self, keys: Iterable[str]) -> None:
        import obstore

        pending = iter(keys)
        while batch := [self._place(key) for key in itertools.islice(pending, _DELETE_BATCH)]:

            def act(batch: list[str] = batch) -> None:
                try:
                    obstore.delete(self._records, batch)
                except FileNotFoundError:
                    # The batch may have stopped at the missing one.
                    for place in batch:
                        with contextlib.suppress(FileNotFoundError):
                            obstore.delete(self._records, place)

            self._call("delete", batch[0].removeprefix(self._prefix), act)

    def _place(self, key: str) -> str:
        return f"{self._prefix}{checked(key)}"

    def _folder(self, folder: str) -> str | None:
        return f"{self._prefix}{folder}".rstrip("/") or None

    def _client_for(self, size: int) -> Any:
        return self._records if size <= 1024 * 1024 else self._data

    def _at_once(
        self, act: Callable[[str, Path], T], files: Mapping[str, Path], count: int = SMALL_AT_ONCE
    ) -> Generator[tuple[str, T], None, None]:
        """Do something with each file, several at a time; the first error ends it."""
        with ThreadPoolExecutor(count) as pool:
            pending = {pool.submit(act, key, path): key for key, path in files.items()}
            try:
                while pending:
                    for future in wait(pending, return_when=FIRST_COMPLETED).done:
                        yield pending.pop(future), future.result()
            finally:
                pool.shutdown(cancel_futures=True)

    @contextlib.contextmanager
    def _reading(self, path: Path) -> Iterator[None]:
        """A file of this machine, whose trouble is not the store's."""
        try:
            yield
        except FileNotFoundError as error:
            if error.filename is None:
                raise  # obstore's: there is no such object
            raise StoreError(f"there is no file {path}", hint="check the path") from error
        except OSError as error:
            hint = "check that the folder can be written, and that there is disk space"
            raise StoreError(f"cannot use the file {path}: {error.strerror or error}", hint=hint) from error

    def _call(self, verb: str, key: str, act: Callable[[], T]) -> T:
        """Do something with the store, again while that may help."""
        from obstore.exceptions import BaseError

        began, pause = time.monotonic(), 0.1
        while True:
            try:
                found = act()
            except (BaseError, OSError, ValueError) as error:
                if isinstance(error, FileNotFoundError) and not remote_errors.is_bucket_missing(error):
                    self._answered = True
                    raise self._missing(key) from None
                patience = LATER_SECONDS if self._answered else FIRST_SECONDS
                if not remote_errors.is_transient(error) or time.monotonic() - began >= patience:
                    what = f"cannot {verb} {key or 'the top folder'}"
                    raise remote_errors.store_error(what, self.url, error, self._options) from error
                time.sleep(pause)
                pause = min(2 * pause, 5.0)
            else:
                self._answered = True
                return found


def _of_length(data: Any, size: int) -> memoryview:
    found = memoryview(data)
    if len(found) != size:
        raise OSError(f"HTTP error: {len(found)} of {size} bytes came")
    return found


def _read(file: Any, size: int) -> bytes:
    """Exactly so many bytes of a file, or what is left of it."""
    data: bytes = file.read(size)
    while len(data) < size and (more := file.read(size - len(data))):
        data += more
    return data
