"""Bytes as they are. A `str` is a value, however long, and needs no materializer of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from crossdock_runtime.materializers.base import Materializer
from crossdock_runtime.values import type_name

_FILE = "data.bin"


class BytesMaterializer(Materializer):
    """`bytes` in one file."""

    name: ClassVar[str] = "bytes"
    types: ClassVar[tuple[str, ...]] = ("bytes",)

    def refuses(self, value: Any) -> str | None:
        return None if type(value) is bytes else f"{type_name(type(value))} is a subclass of bytes"

    def save(self, value: Any, folder: Path) -> None:
        (folder / _FILE).write_bytes(value)

    def load(self, folder: Path, as_type: type | None) -> bytes:
        return (folder / _FILE).read_bytes()
