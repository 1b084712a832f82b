"""The fallback for objects that nothing else fits."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, ClassVar

from crossdock_runtime.materializers.base import Materializer, MaterializerError
from crossdock_runtime.values import type_name

_FILE = "data.pickle"


class PickleMaterializer(Materializer):
    """Python's pickle; read only through a manifest of this store, after its digest was verified."""

    name: ClassVar[str] = "pickle"
    weaker: ClassVar[str | None] = (
        "a pickle can run code when it is read, and other versions of Python or its libraries may not read it"
    )

    def save(self, value: Any, folder: Path) -> None:
        try:
            with (folder / _FILE).open("wb") as file:
                pickle.dump(value, file, protocol=5)
        except (pickle.PicklingError, TypeError, AttributeError, RecursionError) as error:
            raise MaterializerError(
                f"an object of type {type_name(type(value))} cannot be stored: {error}",
                hint="return something that can be written, or write a crossdock.Materializer for it",
            ) from error

    def load(self, folder: Path, as_type: type | None) -> Any:
        try:
            with (folder / _FILE).open("rb") as file:
                return pickle.load(file)
        except (pickle.UnpicklingError, ImportError, AttributeError, EOFError) as error:
            raise MaterializerError(
                f"a stored pickle cannot be read here: {error}",
                hint="use the Python and the library versions of the task that wrote it",
            ) from error
