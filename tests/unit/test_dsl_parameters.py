"""Parameters from a command line, from a YAML file and from Python: what is written is what arrives."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import math
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict

import pydantic
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock import Artifact, pipeline, step
from crossdock.dsl.errors import BadInput
from crossdock.passes.parameters import bind, coerce, from_file, from_text, parse
from crossdock.passes.parameters_file import _FLOAT
from crossdock.passes.trace import trace
from crossdock_runtime import values


class Kind(enum.Enum):
    LINEAR = "linear"
    BOOSTED = 2


@dataclasses.dataclass(frozen=True)
class Layer:
    width: int
    rate: float = 0.5


@dataclasses.dataclass(frozen=True)
class Model:
    kind: Kind
    layers: list[Layer]
    day: datetime.date | None = None


class Point(NamedTuple):
    x: int
    y: float = 0.0


class Options(TypedDict):
    depth: int


class Limits(pydantic.BaseModel):
    low: int
    high: float = 1.0


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=20).filter(
    lambda text: not _FLOAT.match(text)
)
FLOATS = st.floats(allow_nan=False)
DATES = st.dates(min_value=datetime.date(1000, 1, 1))
LAYERS = st.builds(Layer, st.integers(), FLOATS)
MODELS = st.builds(Model, st.sampled_from(Kind), st.lists(LAYERS, max_size=3), st.none() | DATES)


def plain(value: Any) -> Any:
    """A value as a person writes it in YAML or JSON."""
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump()
    if dataclasses.is_dataclass(value):
        return {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def in_json(value: Any) -> str:
    return json.dumps(plain(value), default=str)


CASES: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (bool, st.booleans()),
    (int, st.integers()),
    (float, FLOATS),
    (str, TEXTS),
    (Kind, st.sampled_from(Kind)),
    (datetime.date, DATES),
    (datetime.datetime, st.datetimes(min_value=datetime.datetime(1000, 1, 1)).map(lambda day: day.replace(fold=0))),
    (list[float], st.lists(FLOATS)),
    (list[str], st.lists(TEXTS)),
    (dict[str, int], st.dictionaries(TEXTS, st.integers())),
    (dict[str, list[bool]], st.dictionaries(TEXTS, st.lists(st.booleans()))),
    (int | None, st.none() | st.integers()),
    (Literal["a", "b"], st.sampled_from(["a", "b"])),
    (Model, MODELS),
    (list[Layer], st.lists(LAYERS)),
    (Limits, st.builds(Limits, low=st.integers(), high=FLOATS)),
]
NAMES = [str(kind) for kind, _ in CASES]


@pytest.mark.parametrize(("kind", "strategy"), CASES, ids=NAMES)
def test_a_text_round_trips(kind: Any, strategy: st.SearchStrategy[Any]) -> None:
    @settings(max_examples=25, deadline=None)
    @given(strategy)
    def check(value: Any) -> None:
        scalar = isinstance(value, (str, int, float, datetime.date)) and not isinstance(value, bool)
        text = str(value) if scalar else value.name if isinstance(value, enum.Enum) else in_json(value)
        found = parse(text, kind, "x")
        assert found == value
        assert type(found) is type(value)
        assert values.encode(found) == values.encode(value)

    check()


@pytest.mark.parametrize(("kind", "strategy"), CASES, ids=NAMES)
def test_a_yaml_file_round_trips(kind: Any, strategy: st.SearchStrategy[Any]) -> None:
    @settings(max_examples=25, deadline=None)
    @given(strategy)
    def check(value: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "p.yaml"
            file.write_text(
                yaml.safe_dump({"before": 1, "x": plain(value)}, allow_unicode=True, sort_keys=False), encoding="utf-8"
            )
            given = from_file(str(file))
            assert given.places == {"before": f"{file}:1", "x": f"{file}:2"}
            found = coerce(given["x"], kind, "x")
        assert found == value
        assert values.encode(found) == values.encode(value)

    check()


@pytest.mark.parametrize(("kind", "strategy"), CASES, ids=NAMES)
def test_a_python_value_is_taken_as_it_is(kind: Any, strategy: st.SearchStrategy[Any]) -> None:
    @settings(max_examples=15, deadline=None)
    @given(strategy)
    def check(value: Any) -> None:
        assert values.encode(coerce(value, kind, "x")) == values.encode(value)

    check()


@given(st.lists(st.tuples(st.from_regex(r"[a-z_]\w{0,8}", fullmatch=True), TEXTS), unique_by=lambda pair: pair[0]))
def test_pairs_split_at_the_first_equals_sign(pairs: list[tuple[str, str]]) -> None:
    assert from_text([f"{name}={text}" for name, text in pairs]) == dict(pairs)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("1e-3", float, 0.001),
        ("3", float, 3.0),
        ("nan", float, math.nan),
        ("TRUE", bool, True),
        ("", int | None, None),
        ("", str, ""),
        ("null", str, "null"),
        ("7", int | str, 7),
        ("seven", int | str, "seven"),
        ("[1, 2.5]", list[float], [1.0, 2.5]),
        ("[1, 2]", tuple[int, ...], (1, 2)),
        ("[1, 1]", set[int], {1}),
        ("2", Kind, Kind.BOOSTED),
        ('{"x": 1}', Point, Point(1)),
        ('{"depth": 1}', Options, {"depth": 1}),
        ("0.10", decimal.Decimal, decimal.Decimal("0.10")),
        ("12345678123456781234567812345678", uuid.UUID, uuid.UUID("12345678123456781234567812345678")),
        ("s3://b/k", Path, "s3://b/k"),
        ('{"a": [1]}', dict[str, Any], {"a": [1]}),
    ],
)
def test_what_a_text_stands_for(text: str, kind: Any, value: Any) -> None:
    found = parse(text, kind, "x")
    assert found == value or (found != found and value != value)
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1.0", int), ("yes", bool), ("1", bool), ("", int), ("ten", float), ("tomorrow", datetime.date),
        ("[1, 'a']", list[int]), ('["a"]', list[int]), ("{}", Layer), ('{"width": 1, "height": 2}', Layer),
        ('{"a": {"b": 1}}', dict[str, int]), ("c", Literal["a", "b"]), ("GREEN", Kind), ("[1]", dict[str, int]),
        ("x", uuid.UUID),
    ],
)  # fmt: skip
def test_what_a_text_does_not_stand_for(text: str, kind: Any) -> None:
    with pytest.raises(BadInput, match="x"):
        parse(text, kind, "x")


def test_numbers_of_yaml_that_everybody_reads_as_numbers(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("a: 1e-3\nb: -2E5\nc: 1e\nd: 0x10\ne: 'x'\nf: 2020-01-02\n", encoding="utf-8")
    assert from_file(str(file)) == {
        "a": 0.001, "b": -200000.0, "c": "1e", "d": 16, "e": "x", "f": datetime.date(2020, 1, 2),
    }  # fmt: skip


def test_keys_are_of_the_type_too(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text("x: {1: 2}", encoding="utf-8")
    assert coerce(from_file(str(file))["x"], dict[int, int], "x") == {1: 2}
    with pytest.raises(BadInput, match="'a key of x' takes str, not 1 ") as caught:
        coerce(from_file(str(file))["x"], dict[str, int], "x")
    assert caught.value.hint == "put it in quotes"


def test_an_empty_file_and_one_with_comments_give_nothing(tmp_path: Path) -> None:
    for text in ("", "# nothing\n", "---\n", "{}\n"):
        file = tmp_path / "p.yaml"
        file.write_text(text, encoding="utf-8")
        assert from_file(str(file)) == {}


@step
def use(rate: float, files: Path, names: list[str]) -> float:
    return rate


@pipeline
def training(rate: float, files: Path = Path("in.csv"), names: list[str] = ["a"]) -> None:  # noqa: B006
    use(rate, files, names)


def bound(
    given: Mapping[str, Any], texts: Mapping[str, str], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return bind(training, trace(training).plan, given, texts, before)


def test_a_text_wins_over_a_file_and_that_over_the_default() -> None:
    assert bound({"rate": 1}, {}) == {"rate": 1.0, "files": "in.csv", "names": ["a"]}
    assert bound({"rate": 1, "names": ["b"]}, {"rate": "0.5"})["rate"] == 0.5
    assert bound({}, {"rate": "1"}, {"rate": 7.0, "names": ["z"]}) == {"rate": 1.0, "files": "in.csv", "names": ["z"]}


def test_places_of_data() -> None:
    for place in (Path("a/b.csv"), "a/b.csv", Artifact.from_uri("a/b.csv")):
        assert bound({"rate": 1, "files": place}, {})["files"] == "a/b.csv"
    with pytest.raises(BadInput, match="no data are read from ftp://"):
        bound({"rate": 1}, {"files": "ftp://x/y"})
    with pytest.raises(BadInput, match="takes pathlib"):
        bound({"rate": 1, "files": 3}, {})


def test_all_problems_come_together() -> None:
    with pytest.raises(BadInput) as caught:
        bound({"names": "a", "speed": 1}, {"files": ""})
    text = str(caught.value)
    assert [what in text for what in ("'speed'", "'names' takes list[str]", "'rate' (float) has no value")] == [
        True
    ] * 3
    assert len(caught.value.problems) == 4
