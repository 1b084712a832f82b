"""What a materializer is, and which one fits an object.

The built-in ones are a table of dotted names, so that choosing imports only the one that is chosen, and no
library is imported before an object of it is met.
"""

from __future__ import annotations

import importlib
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from crossdock.dsl.errors import CrossdockError
from crossdock_runtime.values import NotAValue, encode, type_name

GROUP = "crossdock.materializers"
"""The entry-point group of materializers that other distributions bring."""


class MaterializerError(CrossdockError):
    """An object that its materializer cannot write or read, or a materializer that cannot be found."""

    id = "materializer"


class Materializer:
    """Writes objects of some types into files, and reads them again.

    Subclass it, name the types, and either annotate a step's output (`Annotated[Mesh, MeshMaterializer]`) or
    register the class as an entry point of the group `crossdock.materializers`.

    Attributes:
        name: how manifests spell it; a class that is not built in is written as `module:Class`.
        version: raise it when the files change, so that cached results of the old form are not used.
        types: dotted `module.QualName`s, looked up along the type's method resolution order.
        weaker: why this way is the second best, in one line; said when an object is saved.
        hands_out_paths: whether what `load` returns still needs the files; they are then a private copy.
    """

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1
    types: ClassVar[tuple[str, ...]] = ()
    weaker: ClassVar[str | None] = None
    hands_out_paths: ClassVar[bool] = False

    def refuses(self, value: Any) -> str | None:
        """Why this object cannot be kept exactly, in one line; None when it can."""
        return None

    def save(self, value: Any, folder: Path) -> None:
        """Write an object as one or more files into an existing empty folder.

        Raises:
            CannotKeep: it turned out that the object would not come back as it is.
        """
        raise MaterializerError(f"{type_name(type(self))} has no save()", hint="define save(value, folder)")

    def load(self, folder: Path, as_type: type | None) -> Any:
        """Read the object from the files that `save` wrote.

        Args:
            folder: holds these files and no others.
            as_type: the type that the consumer declares, if any; a hint.
        """
        raise MaterializerError(f"{type_name(type(self))} has no load()", hint="define load(folder, as_type)")


class CannotKeep(Exception):
    """Raised by `save` when the files would not give back the same object; pickle is used instead."""


_HERE = "crossdock_runtime.materializers"

BUILT_IN: dict[str, str] = {
    "value": f"{_HERE}.value:ValueMaterializer",
    "bytes": f"{_HERE}.bytes_str:BytesMaterializer",
    "path": f"{_HERE}.path:PathMaterializer",
    "numpy.ndarray": f"{_HERE}.numpy:ArrayMaterializer",
    "pandas.DataFrame": f"{_HERE}.pandas:DataFrameMaterializer",
    "pandas.Series": f"{_HERE}.pandas:SeriesMaterializer",
    "polars.DataFrame": f"{_HERE}.polars:DataFrameMaterializer",
    "polars.LazyFrame": f"{_HERE}.polars:LazyFrameMaterializer",
    "pyarrow.Table": f"{_HERE}.pyarrow:TableMaterializer",
    "pyarrow.RecordBatch": f"{_HERE}.pyarrow:RecordBatchMaterializer",
    "sklearn.BaseEstimator": f"{_HERE}.sklearn:EstimatorMaterializer",
    "torch.Tensor": f"{_HERE}.torch:TensorMaterializer",
    "torch.Module": f"{_HERE}.torch:ModuleMaterializer",
    "pickle": f"{_HERE}.pickle:PickleMaterializer",
}
"""Names in manifests, and where the class is."""

_BY_TYPE: dict[str, str] = {
    "bytes": "bytes",
    "pathlib.Path": "path",
    "numpy.ndarray": "numpy.ndarray",
    "pandas.DataFrame": "pandas.DataFrame",
    "pandas.core.frame.DataFrame": "pandas.DataFrame",
    "pandas.Series": "pandas.Series",
    "pandas.core.series.Series": "pandas.Series",
    "polars.dataframe.frame.DataFrame": "polars.DataFrame",
    "polars.lazyframe.frame.LazyFrame": "polars.LazyFrame",
    "pyarrow.lib.Table": "pyarrow.Table",
    "pyarrow.lib.RecordBatch": "pyarrow.RecordBatch",
    "sklearn.base.BaseEstimator": "sklearn.BaseEstimator",
    "torch.Tensor": "torch.Tensor",
    "torch.nn.modules.module.Module": "torch.Module",
}


def identity(materializer: Materializer) -> str:
    """`name@version`, as manifests and cache keys spell a materializer."""
    cls = type(materializer)
    name = materializer.name if BUILT_IN.get(materializer.name) == _reference(cls) else _reference(cls)
    return f"{name}@{materializer.version}"


def choose(value: object, explicit: str | None = None) -> Materializer:
    """The materializer for an object.

    Args:
        value: the object.
        explicit: `module:Class`, or the name of a built-in one, when the step's annotation says which.

    Raises:
        MaterializerError: the explicit one cannot be imported or is not a materializer.
    """
    if explicit is not None:
        return find(explicit)
    if not is_file_type(value):
        try:
            encode(value)
        except NotAValue:
            return choose_files(value)
        return find("value")
    return choose_files(value)


def is_file_type(value: object) -> bool:
    """Whether an object is known to be kept in files by its type alone, without trying it as a value."""
    return any(type_name(cls) in _BY_TYPE for cls in type(value).__mro__[:-1])


def choose_files(value: object) -> Materializer:
    """The materializer for an object that is not a value, pickle if no other fits."""
    names = [type_name(cls) for cls in type(value).__mro__[:-1]]
    for name in names:
        if name in _BY_TYPE:
            return find(_BY_TYPE[name])
    guests = _guests()
    for name in names:
        if name in guests:
            return guests[name]
    return find("pickle")


def find(name: str) -> Materializer:
    """The materializer of a name: a built-in one, or `module:Class`.

    Raises:
        MaterializerError: there is none, or it cannot be imported.
    """
    found = _find(name)
    if found is None:
        known = ", ".join(BUILT_IN)
        raise MaterializerError(
            f"there is no materializer {name!r}",
            hint=f"write module:Class, or one of: {known}",
            id="unknown-materializer",
        )
    return found


@lru_cache(maxsize=256)
def _find(name: str) -> Materializer | None:
    reference = BUILT_IN.get(name, name)
    module, _, qualname = reference.partition(":")
    if not qualname:
        return None
    try:
        found: Any = importlib.import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise MaterializerError(
            f"the materializer {reference} cannot be imported: {error}",
            hint=f"install the package that has {module}, in the environment of this task too",
        ) from error
    if not (isinstance(found, type) and issubclass(found, Materializer)):
        raise MaterializerError(
            f"{reference} is not a materializer", hint="make it a class that inherits crossdock.Materializer"
        )
    return found()


@lru_cache(maxsize=1)
def _guests() -> dict[str, Materializer]:
    """Materializers of other distributions by the type they name; read once, when no built-in one fits."""
    from importlib.metadata import entry_points

    guests: dict[str, Materializer] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        materializer = find(entry.value)
        for name in materializer.types:
            other = guests.setdefault(name, materializer)
            if other is not materializer:
                both = f"{_reference(type(other))} and {_reference(type(materializer))}"
                raise MaterializerError(
                    f"two installed materializers claim {name}: {both}",
                    hint=f"uninstall one, or say which in the step: Annotated[T, {type(other).__name__}]",
                )
    return guests


def _reference(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def library(name: str, purpose: str) -> Any:
    """Import an optional library.

    Raises:
        MaterializerError: it is not installed.
    """
    try:
        return sys.modules.get(name) or importlib.import_module(name)
    except ImportError as error:
        package = {"sklearn": "scikit-learn"}.get(name.partition(".")[0], name.partition(".")[0])
        raise MaterializerError(
            f"{purpose} needs {package}: {error}", hint=f"pip install {package}", id="missing-library"
        ) from error
