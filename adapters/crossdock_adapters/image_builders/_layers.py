"""Layers that are the same bytes whenever they are made of the same files.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, cast

from crossdock.dsl.frozen import frozen
from crossdock.stacks.image_layout import HOME

_LEVEL = 6
_OURS = HOME.lstrip("/")
_DIRECTORY, _FILE, _PROGRAM = 0o755, 0o644, 0o755


@frozen
class Layer:
    """A layer in a file of this machine.

    Attributes:
        title: what is in it, for people.
        file: the compressed tar.
        digest: of the compressed tar.
        size: in bytes, of the compressed tar.
        diff_id: digest of the tar itself.
    """

    title: str
    file: Path
    digest: str
    size: int
    diff_id: str


@frozen
class Link:
    """A symbolic link in a layer: where it points to."""

    to: str


class _Hashed(io.RawIOBase):
    """Writes through, and hashes."""

    def __init__(self, target: IO[bytes]) -> None:
        self._target = target
        self._found = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        self._found.update(data)
        return self._target.write(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self._found.hexdigest()}"


def write_layer(title: str, files: Mapping[str, bytes | Path | Link], file: Path) -> Layer:
    """A layer of files: sorted, of root, without times. Nothing is held in memory but a piece of a file.

    Args:
        title: what is in it.
        files: absolute path in the image to contents.
        file: where the layer is written.
    """
    with file.open("wb") as raw:
        packed = _Hashed(raw)
        with gzip.GzipFile("", "wb", _LEVEL, packed, mtime=0) as zipped:
            plain = _Hashed(cast(IO[bytes], zipped))
            with tarfile.open(fileobj=plain, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                _add(tar, files)
            diff_id = plain.digest
    return Layer(title, file, packed.digest, file.stat().st_size, diff_id)


def _add(tar: tarfile.TarFile, files: Mapping[str, bytes | Path | Link]) -> None:
    there: set[PurePosixPath] = set()
    for name in sorted(files):
        place = PurePosixPath(name.lstrip("/"))
        for folder in reversed(place.parents):
            # What the base says of its own folders stays.
            if folder not in there and folder.is_relative_to(_OURS):
                there.add(folder)
                tar.addfile(_entry(f"{folder}", tarfile.DIRTYPE, _DIRECTORY))
        contents = files[name]
        if isinstance(contents, Link):
            entry = _entry(f"{place}", tarfile.SYMTYPE, 0o777)
            entry.linkname = contents.to
            tar.addfile(entry)
        elif isinstance(contents, Path):
            about = contents.stat()
            entry = _entry(f"{place}", tarfile.REGTYPE, _PROGRAM if about.st_mode & 0o100 else _FILE, about.st_size)
            with contents.open("rb") as opened:
                tar.addfile(entry, opened)
        else:
            tar.addfile(_entry(f"{place}", tarfile.REGTYPE, _FILE, len(contents)), io.BytesIO(contents))


def _entry(name: str, type_: bytes, mode: int, size: int = 0) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.mode, found.size = type_, mode, size
    return found


def files_below(folder: Path, place: str) -> dict[str, Path]:
    """All files of a folder, by their place in the image."""
    found = (file for file in folder.rglob("*") if file.is_file())
    return {f"{place}/{file.relative_to(folder).as_posix()}": file for file in found}
