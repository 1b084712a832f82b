"""Polars frames, as Arrow IPC files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from crossdock_runtime.materializers.base import CannotKeep, Materializer, library
from crossdock_runtime.values import type_name

_FILE = "data.arrow"


class DataFrameMaterializer(Materializer):
    """`polars.DataFrame`."""

    name: ClassVar[str] = "polars.DataFrame"
    types: ClassVar[tuple[str, ...]] = ("polars.dataframe.frame.DataFrame",)

    def refuses(self, value: Any) -> str | None:
        pl = library("polars", "a frame")
        if type(value) is not pl.DataFrame:
            return f"{type_name(type(value))} is a subclass that a file would turn into a plain frame"
        for name, dtype in value.schema.items():
            if dtype == pl.Object:
                return f"column {name!r} holds Python objects"
        return None

    def save(self, value: Any, folder: Path) -> None:
        _write(value, folder)

    def load(self, folder: Path, as_type: type | None) -> Any:
        return _read(folder)


class LazyFrameMaterializer(Materializer):
    """`polars.LazyFrame`: its query is run, and the result kept."""

    name: ClassVar[str] = "polars.LazyFrame"
    types: ClassVar[tuple[str, ...]] = ("polars.lazyframe.frame.LazyFrame",)

    def save(self, value: Any, folder: Path) -> None:
        frame = value.collect()
        reason = DataFrameMaterializer().refuses(frame)
        if reason is not None:
            raise CannotKeep(reason)
        _write(frame, folder)

    def load(self, folder: Path, as_type: type | None) -> Any:
        return _read(folder).lazy()


def _write(frame: Any, folder: Path) -> None:
    frame.write_ipc(folder / _FILE, compression="lz4")


def _read(folder: Path) -> Any:
    # An open file, since polars takes brackets and stars in a path for a pattern.
    with (folder / _FILE).open("rb") as file:
        return library("polars", "a stored frame").read_ipc(file)
