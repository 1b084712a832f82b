"""Every materializer gives back what it was given; what it cannot keep goes to pickle, with the reason."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import subprocess
import sys
import types
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from crossdock_runtime.artifacts import Manifest, load, save
from crossdock_runtime.materializers import base
from crossdock_runtime.materializers.base import Materializer, MaterializerError
from crossdock_runtime.store import Store

RoundTrip = Callable[..., tuple[Any, Manifest]]


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    # Brackets, since some libraries take a path for a pattern.
    return Store.open(tmp_path / "store [1]" if request.param == "local" else f"memory:///{uuid.uuid4()}")


@pytest.fixture
def round_trip(store: Store, tmp_path: Path) -> RoundTrip:
    def go(value: object, materializer: str | None = None) -> tuple[Any, Manifest]:
        key = f"data/r/t/1/{uuid.uuid4().hex}"
        manifest = save(store, value, key, producer={"run": "r"}, materializer=materializer)
        manifest = Manifest.from_json(json.loads(json.dumps(manifest.to_json())))
        return load(store, manifest, scratch=tmp_path / "scratch"), manifest

    return go


def need(name: str, package: str | None = None) -> Any:
    return pytest.importorskip(name, reason=f"{package or name} is not installed")


def test_the_table_and_the_classes_agree() -> None:
    types_of: dict[str, set[str]] = {}
    for dotted, name in base._BY_TYPE.items():
        types_of.setdefault(name, set()).add(dotted)
    for name in base.BUILT_IN:
        materializer = base.find(name)
        assert materializer.name == name
        assert base.identity(materializer) == f"{name}@1"
        assert set(materializer.types) == types_of.get(name, set())


def test_bytes(round_trip: RoundTrip) -> None:
    for value in (b"", b"\0" * 100_000):
        back, manifest = round_trip(value)
        assert back == value
        assert (manifest.type, manifest.materializer) == ("bytes", "bytes@1")
        assert [member.path for member in manifest.members] == ["data.bin"]


def test_a_text_is_a_value(round_trip: RoundTrip) -> None:
    for value, inline in (("é", True), ("x" * 40_000, False)):
        back, manifest = round_trip(value)
        assert back == value
        assert (manifest.type, manifest.materializer, manifest.uri is None) == ("str", "value@1", inline)


def test_a_file_keeps_its_name(round_trip: RoundTrip, store: Store, tmp_path: Path) -> None:
    source = tmp_path / "report é.csv"
    source.write_text("a,b")
    back, manifest = round_trip(source)
    assert (back.name, back.read_text()) == ("report é.csv", "a,b")
    assert tmp_path / "scratch" in back.parents
    assert (manifest.type, manifest.materializer) == ("pathlib.PosixPath", "path@1")
    back.write_text("changed")
    assert load(store, manifest, scratch=tmp_path / "scratch").read_text() == "a,b"


def test_a_folder_with_everything_in_it(round_trip: RoundTrip, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "empty" / "inner").mkdir(parents=True)
    (folder / "a" / "b" / "x.txt").write_text("x")
    (folder / "link.txt").symlink_to("a/b/x.txt")
    (folder / "again").symlink_to("a")
    back, _ = round_trip(folder)
    assert back.name == "model"
    assert (back / "a" / "b" / "x.txt").read_text() == "x"
    assert (back / "link.txt").read_text() == "x"
    assert not (back / "link.txt").is_symlink()
    assert (back / "again" / "b" / "x.txt").read_text() == "x"
    assert (back / "empty" / "inner").is_dir()


def test_an_empty_folder(round_trip: RoundTrip, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    back, _ = round_trip(tmp_path / "nothing")
    assert back.name == "nothing"
    assert list(back.iterdir()) == []


def _escaping(folder: Path) -> None:
    (folder / "x").symlink_to(folder.parent)


def _looping(folder: Path) -> None:
    (folder / "x").symlink_to(folder / "x")


def _climbing(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "x").symlink_to(folder / "sub")


def _dangling(folder: Path) -> None:
    (folder / "x").symlink_to(folder / "gone")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_escaping, "outside of the folder"),
        (_looping, "symbolic link to nothing"),
        (_climbing, "a folder above it"),
        (_dangling, "symbolic link to nothing"),
    ],
)
def test_links_that_are_refused(store: Store, tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    make(folder)
    with pytest.raises(MaterializerError, match=message) as caught:
        save(store, folder, "data/x")
    assert caught.value.hint
    assert list(store.keys()) == []


def test_a_path_with_nothing_there(store: Store, tmp_path: Path) -> None:
    with pytest.raises(MaterializerError, match="nothing is there"):
        save(store, tmp_path / "gone", "data/x")


def test_numpy(round_trip: RoundTrip) -> None:
    np = need("numpy")
    for array in (
        np.arange(12).reshape(3, 4).T,
        np.array(3.5),
        np.array(["a", "é"]),
        np.zeros(0, dtype="int8"),
        np.array(["2013-01-01"], dtype="datetime64[D]"),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    ):
        back, manifest = round_trip(array)
        assert type(back) is np.ndarray
        assert back.dtype == array.dtype
        assert np.array_equal(back, array)
        assert (manifest.type, manifest.materializer) == ("numpy.ndarray", "numpy.ndarray@1")


def test_numpy_objects_and_subclasses_are_pickled_with_the_reason(
    round_trip: RoundTrip, caplog: pytest.LogCaptureFixture
) -> None:
    np = need("numpy")
    back, manifest = round_trip(np.array([1, "a", None], dtype=object))
    assert (list(back), manifest.materializer) == ([1, "a", None], "pickle@1")
    assert len(caplog.records) == 1
    assert "array of Python objects" in caplog.text
    masked, manifest = round_trip(np.ma.masked_array([1, 2], mask=[0, 1]))
    assert (type(masked), manifest.materializer) == (np.ma.MaskedArray, "pickle@1")


def frames() -> Iterator[tuple[str, Any]]:
    pd, np = need("pandas"), need("numpy")
    plain = pd.DataFrame({"a": [1, 2, 3], "b": [1.5, np.nan, -0.0], "c": ["x", "é", "z"], "d": [True, False, True]})
    yield "plain", plain
    yield "missing text", pd.DataFrame({"a": ["x", None, "y"]}, dtype="string")
    yield (
        "nullable",
        pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": pd.array([True, None], dtype="boolean")}),
    )
    yield (
        "times",
        pd.DataFrame(
            {
                "ns": pd.to_datetime(["2013-01-01", None]).astype("datetime64[ns]"),
                "us": pd.to_datetime(["2013-01-01", None]).astype("datetime64[us]"),
                "zone": pd.to_datetime(["2013-01-01", "2013-06-01"]).tz_localize("Europe/Paris"),
                "delta": pd.to_timedelta(["1s", None]),
            }
        ),
    )
    yield "range", plain.set_index(pd.RangeIndex(5, 11, 2, name="i"))
    yield "labels", plain.set_index("c")
    yield "levels", plain.set_index(["c", "a"])
    yield "unnamed levels", plain.set_index([[1, 2, 3], ["x", "y", "z"]])
    yield "dates", plain.set_index(pd.date_range("2013-01-01", periods=3, freq="D", name="day"))
    yield "weeks", plain.set_index(pd.date_range("2013-01-01", periods=3, freq="W-WED", tz="UTC"))
    yield "categories", pd.DataFrame({"a": pd.Categorical(["x", None], ["z", "y", "x"], ordered=True)})
    yield "category index", plain.set_index(pd.CategoricalIndex(["x", "y", "x"], ["y", "x", "unused"]))
    yield "integer names", pd.DataFrame({0: [1], 1: [2]})
    yield "named names", pd.DataFrame([[1, 2]], columns=pd.Index(["a", "b"], name="what"))
    yield (
        "levels of names",
        pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])),
    )
    yield "mixed names", pd.DataFrame([[1, 2]], columns=["a", 1])
    yield "same names", pd.DataFrame([[1, 2]], columns=["a", "a"])
    yield "no rows", plain.iloc[:0]
    yield "no columns", pd.DataFrame(index=[1, 2])
    yield "nothing", pd.DataFrame()
    yield "objects", pd.DataFrame({"a": [1, "x", [2]]}, dtype=object)
    yield "lists", pd.DataFrame({"a": [[1], [2, 3]]})
    yield "complex", pd.DataFrame({"a": [1j]})
    yield "periods", pd.DataFrame({"a": pd.period_range("2013", periods=2, freq="M")})
    yield "intervals", pd.DataFrame({"a": pd.interval_range(0, 2)})
    yield "small", pd.DataFrame({"a": [1, 2]}, dtype="uint8").astype({"a": "float16"})
    yield "filtered", plain[plain["a"] > 1]


WEAK = {"mixed names", "same names", "objects", "lists", "complex"}


def test_pandas_frames(round_trip: RoundTrip) -> None:
    pd = need("pandas")
    need("pyarrow")
    for name, frame in frames():
        back, manifest = round_trip(frame)
        pd.testing.assert_frame_equal(back, frame, check_exact=True, check_freq=True)
        assert [*map(type, back.columns)] == [*map(type, frame.columns)], name
        assert type(back.index) is type(frame.index), name
        expected = "pickle@1" if name in WEAK else "pandas.DataFrame@1"
        assert manifest.materializer == expected, name


def test_pandas_series(round_trip: RoundTrip) -> None:
    pd = need("pandas")
    need("pyarrow")
    for series in (
        pd.Series([1, 2]),
        pd.Series([1.5], name="x", index=["a"]),
        pd.Series(["a", None], name=("a", 1)),
        pd.Series([1, 2], name=3, index=pd.Index([7, 8], name="values")),
        pd.Series(pd.Categorical(["a"], ["b", "a"])),
    ):
        back, manifest = round_trip(series)
        pd.testing.assert_series_equal(back, series)
        assert type(back.name) is type(series.name)
        assert manifest.materializer == "pandas.Series@1"


def test_pandas_without_pyarrow_is_pickled_with_the_reason(
    round_trip: RoundTrip, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pd = need("pandas")
    library = base.library

    def without_pyarrow(name: str, purpose: str) -> Any:
        if name.startswith("pyarrow"):
            raise MaterializerError("pyarrow is not installed")
        return library(name, purpose)

    monkeypatch.setattr("crossdock_runtime.materializers.pandas.library", without_pyarrow)
    back, manifest = round_trip(pd.DataFrame({"a": [1]}))
    assert (back["a"].tolist(), manifest.materializer) == ([1], "pickle@1")
    assert "pyarrow is not installed" in caplog.text
    assert len(caplog.text.splitlines()) == 1


def test_polars(round_trip: RoundTrip) -> None:
    pl = need("polars")
    frame = pl.DataFrame(
        {"a": [1, None], "b": ["x", None], "c": [[1], []], "d": [{"e": 1.5}, None]},
        schema_overrides={"a": pl.Int8},
    ).with_columns(pl.col("b").cast(pl.Categorical).alias("f"), pl.col("b").cast(pl.Enum(["y", "x"])).alias("g"))
    back, manifest = round_trip(frame)
    assert back.equals(frame)
    assert back.schema == frame.schema
    assert manifest.materializer == "polars.DataFrame@1"
    lazy, manifest = round_trip(frame.lazy().select("a"))
    assert type(lazy) is pl.LazyFrame
    assert lazy.collect().equals(frame.select("a"))
    assert manifest.materializer == "polars.LazyFrame@1"
    assert round_trip(pl.DataFrame())[0].shape == (0, 0)


def test_pyarrow(round_trip: RoundTrip) -> None:
    pa = need("pyarrow")
    table = pa.table({"a": [1, None], "b": [["x"], []]}).replace_schema_metadata({"k": "v"})
    chunks = pa.chunked_array([pa.array(["a"]).dictionary_encode(), pa.array(["b"]).dictionary_encode()])
    for value in (table, table.slice(0, 0), pa.table({}), pa.table({"d": chunks})):
        back, manifest = round_trip(value)
        assert back.to_pydict() == value.to_pydict()
        assert back.schema.equals(value.schema, check_metadata=True)
        assert manifest.materializer == "pyarrow.Table@1"
    for batch in (table.to_batches()[0], table.to_batches()[0].slice(0, 0)):
        back, manifest = round_trip(batch)
        assert back.equals(batch)
        assert manifest.materializer == "pyarrow.RecordBatch@1"


def test_scikit_learn(round_trip: RoundTrip) -> None:
    linear = need("sklearn.linear_model", "scikit-learn")
    model = linear.LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
    back, manifest = round_trip(model)
    assert back.predict([[2.0]]) == pytest.approx([5.0])
    assert manifest.materializer == "sklearn.BaseEstimator@1"
    assert manifest.type.endswith("LinearRegression")


def test_scikit_learn_of_another_version(tmp_path: Path) -> None:
    linear = need("sklearn.linear_model", "scikit-learn")
    materializer = base.find("sklearn.BaseEstimator")
    materializer.save(linear.LinearRegression(), tmp_path)
    (tmp_path / "model.json").write_text('{"scikit-learn": "0.20.1"}')
    with pytest.raises(MaterializerError, match=r"written by scikit-learn 0\.20\.1") as caught:
        materializer.load(tmp_path, None)
    assert caught.value.hint is not None
    assert "pip install scikit-learn==0.20.1" in caught.value.hint
    major = importlib.metadata.version("scikit-learn").partition(".")[0]
    (tmp_path / "model.json").write_text(json.dumps({"scikit-learn": f"{major}.999.0"}))
    with pytest.warns(UserWarning, match=r"\.999\.0 and is read by"):
        materializer.load(tmp_path, None)


class Thing:
    def __init__(self, x: object) -> None:
        self.x = x


class ThingMaterializer(Materializer):
    version: ClassVar[int] = 2
    types: ClassVar[tuple[str, ...]] = (f"{__name__}.Thing",)

    def save(self, value: Thing, folder: Path) -> None:
        (folder / "deep").mkdir()
        (folder / "deep" / "thing.txt").write_text(str(value.x))

    def load(self, folder: Path, as_type: type | None) -> Thing:
        return Thing((folder / "deep" / "thing.txt").read_text())


class LinkingMaterializer(Materializer):
    def save(self, value: object, folder: Path) -> None:
        (folder / "link").symlink_to(__file__)


def test_pickle_says_once_why_it_is_weaker(round_trip: RoundTrip, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="crossdock"):
        back, manifest = round_trip(Thing(4))
    assert (back.x, manifest.materializer, manifest.type) == (4, "pickle@1", f"{__name__}.Thing")
    (record,) = caplog.records
    assert "can run code" in record.getMessage()
    assert "\n" not in record.getMessage()


def test_a_nearly_value_says_which_part_is_not(round_trip: RoundTrip, caplog: pytest.LogCaptureFixture) -> None:
    back, manifest = round_trip({"a": [Thing(1)]})
    assert (back["a"][0].x, manifest.materializer) == (1, "pickle@1")
    assert "['a'][0]" in caplog.text


def test_what_cannot_be_pickled(store: Store) -> None:
    with pytest.raises(MaterializerError, match="cannot be stored") as caught:
        save(store, lambda: 1, "data/x")
    assert caught.value.hint
    assert list(store.keys()) == []


def test_a_users_materializer(round_trip: RoundTrip) -> None:
    name = f"{__name__}:ThingMaterializer"
    back, manifest = round_trip(Thing(5), name)
    assert (back.x, manifest.materializer) == ("5", f"{name}@2")
    assert [member.path for member in manifest.members] == ["deep/thing.txt"]


def test_a_value_may_be_kept_by_an_explicit_materializer(round_trip: RoundTrip) -> None:
    back, manifest = round_trip([1, 2], "pickle")
    assert (back, manifest.materializer) == ([1, 2], "pickle@1")


def test_an_explicit_materializer_is_not_replaced(store: Store) -> None:
    np = need("numpy")
    with pytest.raises(MaterializerError, match="cannot keep"):
        save(store, np.array([object()]), "data/x", materializer="numpy.ndarray")


def test_a_materializer_that_writes_a_link(store: Store) -> None:
    with pytest.raises(MaterializerError, match="symbolic link"):
        save(store, Thing(1), "data/x", materializer=f"{__name__}:LinkingMaterializer")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "there is no materializer"),
        ("no_such_module:X", "cannot be imported"),
        (f"{__name__}:Gone", "cannot be imported"),
        (f"{__name__}:Thing", "is not a materializer"),
    ],
)
def test_materializers_that_cannot_be_found(name: str, message: str) -> None:
    with pytest.raises(MaterializerError, match=message) as caught:
        base.find(name)
    assert caught.value.hint


def test_entry_points_are_read_when_no_built_in_one_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    scanned = []

    def entry_points(*, group: str) -> list[types.SimpleNamespace]:
        scanned.append(group)
        return [types.SimpleNamespace(name="thing", value=f"{__name__}:ThingMaterializer")]

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    base._guests.cache_clear()
    try:
        assert base.choose(b"").name == "bytes"
        assert base.choose([1]).name == "value"
        assert scanned == []
        assert base.identity(base.choose(Thing(1))) == f"{__name__}:ThingMaterializer@2"
        assert base.choose(object()).name == "pickle"
        assert scanned == ["crossdock.materializers"]
    finally:
        base._guests.cache_clear()


def test_choosing_for_a_value_imports_no_library() -> None:
    code = """
import sys
from crossdock_runtime.materializers import base
base.choose([1]); base.choose(b"x"); base.choose(object())
libraries = {"numpy", "pandas", "polars", "pyarrow", "sklearn", "torch", "obstore", "pydantic"}
print(sorted(libraries & set(sys.modules)))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
