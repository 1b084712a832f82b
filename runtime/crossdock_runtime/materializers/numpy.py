"""NumPy arrays, in NumPy's own format and never with pickled objects inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from crossdock_runtime.materializers.base import Materializer, library
from crossdock_runtime.values import type_name

_FILE = "data.npy"


class ArrayMaterializer(Materializer):
    """`numpy.ndarray` as `.npy`."""

    name: ClassVar[str] = "numpy.ndarray"
    types: ClassVar[tuple[str, ...]] = ("numpy.ndarray",)

    def refuses(self, value: Any) -> str | None:
        if type(value) is not library("numpy", "an array").ndarray:
            return f"{type_name(type(value))} is a subclass that .npy would turn into a plain array"
        if value.dtype.hasobject:
            return "an array of Python objects has no .npy form; use a numeric or a string dtype"
        if value.dtype.metadata:
            return "the metadata of its dtype has no .npy form"
        return None

    def save(self, value: Any, folder: Path) -> None:
        library("numpy", "an array").save(folder / _FILE, value, allow_pickle=False)

    def load(self, folder: Path, as_type: type | None) -> Any:
        return library("numpy", "a stored array").load(folder / _FILE, allow_pickle=False)
