"""pandas frames and series: Parquet where it gives back the same object, else pickle with the reason.

A frame with categories goes into an Arrow IPC file, since Parquet forgets the categories that no row uses.
Missing values in a column of `object` dtype come back as None.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from crossdock_runtime.materializers.base import CannotKeep, Materializer, library
from crossdock_runtime.materializers.pyarrow import read_ipc, write_ipc
from crossdock_runtime.values import NotAValue, decode, encode, type_name

_PARQUET = "data.parquet"
_ARROW = "data.arrow"
_ABOUT = "about.json"
_EXACT_OBJECTS = ("string", "empty", "date", "bytes")


class DataFrameMaterializer(Materializer):
    """`pandas.DataFrame` with its index, dtypes and column names."""

    name: ClassVar[str] = "pandas.DataFrame"
    types: ClassVar[tuple[str, ...]] = ("pandas.DataFrame", "pandas.core.frame.DataFrame")

    def refuses(self, value: Any) -> str | None:
        return _refuses(value, library("pandas", "a frame").DataFrame)

    def save(self, value: Any, folder: Path) -> None:
        _write(value, folder, {})

    def load(self, folder: Path, as_type: type | None) -> Any:
        return _read(folder)[0]


class SeriesMaterializer(Materializer):
    """`pandas.Series` with its index, dtype and name."""

    name: ClassVar[str] = "pandas.Series"
    types: ClassVar[tuple[str, ...]] = ("pandas.Series", "pandas.core.series.Series")

    def refuses(self, value: Any) -> str | None:
        return _refuses(value, library("pandas", "a series").Series)

    def save(self, value: Any, folder: Path) -> None:
        try:
            name = encode(value.name)
        except NotAValue as error:
            raise CannotKeep(f"the name of the series: {error}") from error
        frame = value.to_frame(name="values")
        frame.attrs = {}
        _write(frame, folder, {"name": name})

    def load(self, folder: Path, as_type: type | None) -> Any:
        frame, about = _read(folder)
        return frame["values"].rename(decode(about["name"]))


def _refuses(value: Any, exact: Any) -> str | None:
    if type(value) is not exact:
        return f"{type_name(type(value))} is a subclass that a file would turn into a plain {exact.__name__}"
    if value.attrs:
        return "its attrs have no place in Parquet"
    if not value.flags.allows_duplicate_labels:
        return "its flags have no place in Parquet"
    try:
        library("pyarrow", "Parquet")
    except Exception:
        return "pyarrow is not installed, which writes Parquet (pip install pyarrow)"
    return None


def _write(frame: Any, folder: Path, about: dict[str, Any]) -> None:
    pd, pa = library("pandas", "a frame"), library("pyarrow", "Parquet")
    for position, dtype in enumerate(frame.dtypes):
        if str(dtype) == "object":
            found = pd.api.types.infer_dtype(frame.iloc[:, position], skipna=True)
            if found not in _EXACT_OBJECTS:
                raise CannotKeep(f"column {frame.columns[position]!r} holds Python objects ({found})")
    for level in _levels(frame.index):
        if str(level.dtype) == "object" and pd.api.types.infer_dtype(level, skipna=True) not in _EXACT_OBJECTS:
            raise CannotKeep("its index holds Python objects")
    freq = getattr(frame.index, "freq", None) if isinstance(frame.index, pd.DatetimeIndex) else None
    if freq is not None:
        about = {**about, "freq": freq.freqstr}
        if pd.tseries.frequencies.to_offset(freq.freqstr) != freq:
            raise CannotKeep(f"its index has the frequency {freq!r}")
    if len({type(label) for label in frame.columns}) > 1:
        raise CannotKeep("its column names are of several types")
    if isinstance(frame.columns, pd.RangeIndex) and isinstance(frame.columns.name, str | None):
        labels = frame.columns
        about = {**about, "columns": [labels.start, labels.stop, labels.step, labels.name]}
        frame = frame.set_axis([str(label) for label in labels], axis="columns")
    try:
        table = pa.Table.from_pandas(frame)
        _compare(pd, frame, table.slice(0, 0).to_pandas())
        if any(pa.types.is_dictionary(field.type) for field in table.schema):
            write_ipc(table, folder / _ARROW)
        else:
            library("pyarrow.parquet", "Parquet").write_table(table, folder / _PARQUET)
    except (pa.ArrowException, TypeError, ValueError, KeyError, OverflowError) as error:
        raise CannotKeep(f"Parquet refuses it: {str(error).partition(chr(10))[0]}") from error
    if about:
        (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")


def _read(folder: Path) -> tuple[Any, dict[str, Any]]:
    pd = library("pandas", "a stored frame")
    about = json.loads(path.read_text(encoding="utf-8")) if (path := folder / _ABOUT).is_file() else {}
    if (folder / _ARROW).is_file():
        frame = read_ipc(folder / _ARROW).to_pandas()
    else:
        parquet = library("pyarrow.parquet", "a stored frame")
        frame = parquet.ParquetFile(folder / _PARQUET, memory_map=False).read().to_pandas()
    if "columns" in about:
        start, stop, step, name = about["columns"]
        frame.columns = pd.RangeIndex(start, stop, step, name=name)
    if "freq" in about:
        frame.index.freq = about["freq"]
    return frame, about


def _levels(index: Any) -> list[Any]:
    return list(getattr(index, "levels", [index]))


def _compare(pd: Any, frame: Any, empty: Any) -> None:
    """Check on a frame without rows that Arrow gives back the same types and names.

    Raises:
        CannotKeep: it does not; the message says where.
    """
    if not _same_labels(frame.columns, empty.columns):
        raise CannotKeep("Parquet would change its column names")
    for name, before, after in zip(frame.columns, frame.dtypes, empty.dtypes, strict=True):
        if not _same_dtype(pd, before, after):
            raise CannotKeep(f"Parquet would turn column {name!r} from {before} into {after}")
    if isinstance(frame.index, pd.RangeIndex) and isinstance(frame.index.name, str | None):
        return  # Arrow keeps its start, stop, step and name, but gives a table of another length a plain one.
    if type(frame.index) is not type(empty.index) or list(frame.index.names) != list(empty.index.names):
        raise CannotKeep(f"Parquet would change its {type(frame.index).__name__}")
    for one, other in zip(_levels(frame.index), _levels(empty.index), strict=True):
        if not _same_dtype(pd, one.dtype, other.dtype):
            raise CannotKeep(f"Parquet would turn its index from {one.dtype} into {other.dtype}")


def _same_labels(one: Any, other: Any) -> bool:
    same = type(one) is type(other) and one.dtype == other.dtype and one.equals(other)
    return same and list(one.names) == list(other.names) and [*map(type, one)] == [*map(type, other)]


def _same_dtype(pd: Any, one: Any, other: Any) -> bool:
    if isinstance(one, pd.CategoricalDtype) and isinstance(other, pd.CategoricalDtype):
        return one.ordered == other.ordered and _same_labels(one.categories, other.categories)
    return bool(type(one) is type(other) and one == other)
