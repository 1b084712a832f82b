"""PyArrow tables, as Arrow IPC files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from crossdock_runtime.materializers.base import Materializer, library

_FILE = "data.arrow"


def write_ipc(table: Any, path: Path) -> None:
    """Write a table or a record batch as an Arrow IPC file."""
    pa = library("pyarrow", "a table")
    ipc = library("pyarrow.ipc", "a table")
    if isinstance(table, pa.Table):
        table = table.unify_dictionaries()  # the file format has one dictionary a column
    with pa.OSFile(str(path), "wb") as sink, ipc.new_file(sink, table.schema) as writer:
        writer.write(table)


def read_ipc(path: Path) -> Any:
    """The table in an Arrow IPC file, in memory: nothing of the file stays mapped."""
    pa = library("pyarrow", "a stored table")
    ipc = library("pyarrow.ipc", "a stored table")
    with pa.OSFile(str(path), "rb") as source:
        return ipc.open_file(source).read_all()


class TableMaterializer(Materializer):
    """`pyarrow.Table`."""

    name: ClassVar[str] = "pyarrow.Table"
    types: ClassVar[tuple[str, ...]] = ("pyarrow.lib.Table",)

    def save(self, value: Any, folder: Path) -> None:
        write_ipc(value, folder / _FILE)

    def load(self, folder: Path, as_type: type | None) -> Any:
        return read_ipc(folder / _FILE)


class RecordBatchMaterializer(Materializer):
    """`pyarrow.RecordBatch`."""

    name: ClassVar[str] = "pyarrow.RecordBatch"
    types: ClassVar[tuple[str, ...]] = ("pyarrow.lib.RecordBatch",)

    def save(self, value: Any, folder: Path) -> None:
        write_ipc(value, folder / _FILE)

    def load(self, folder: Path, as_type: type | None) -> Any:
        pa = library("pyarrow", "a stored record batch")
        ipc = library("pyarrow.ipc", "a stored record batch")
        with pa.OSFile(str(folder / _FILE), "rb") as source:
            return ipc.open_file(source).get_batch(0)
