from __future__ import annotations

import datetime as dt
import enum
import math
import subprocess
import sys
import uuid
from collections import Counter, OrderedDict
from dataclasses import InitVar, dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock_runtime.values import (
    NotAValue,
    canonical_bytes,
    decode,
    digest,
    dumps,
    encode,
    loads,
    value_digest,
)


class Colour(enum.Enum):
    RED = 1
    BLUE = (2, "b")


class Size(enum.StrEnum):
    SMALL = "s"


class Bits(enum.Flag):
    A = 1
    B = 2


@dataclass
class Plain:
    name: str
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frozen:
    inner: Plain
    where: tuple[int, ...] = ()


@dataclass
class Doubling:
    x: int
    total: int = field(init=False)
    seed: InitVar[int] = 3

    def __post_init__(self, seed: int) -> None:
        self.total = self.x * seed
        self.x = self.x * 2


@dataclass
class Derived:
    x: int

    def __post_init__(self) -> None:
        self.x += 1
        self.note = "made"


class Point(NamedTuple):
    x: int
    label: str = "p"


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    a: int
    b: list[float] = []
    _hidden: int = pydantic.PrivateAttr(default=4)


class Row(pydantic.RootModel[dict[int, str]]):
    pass


class Text(str):
    __slots__ = ()


class Loud(enum.IntEnum):
    YES = 7


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down; nan is nan."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or repr(one) == repr(other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            same(k1, k2) and same(v1, v2) for (k1, v1), (k2, v2) in zip(one.items(), other.items(), strict=True)
        )
    if isinstance(one, (set, frozenset)):
        return len(one) == len(other) and all(any(same(x, y) for y in other) for x in one)
    if isinstance(one, Decimal):
        return str(one) == str(other)
    return bool(one == other)


def round_trip(value: object) -> Any:
    return decode(loads(canonical_bytes(value)))


ANY_TEXT = st.text(st.characters(exclude_categories=()))
ZONES = st.sampled_from([None, dt.UTC, dt.timezone(dt.timedelta(hours=-3, minutes=30)), ZoneInfo("Europe/Paris")])
HASHABLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**52, 2**54),
    st.floats(),
    ANY_TEXT,
    st.binary(),
    st.decimals(allow_nan=False),
    st.uuids(),
    st.dates(),
    st.times(),
    st.timedeltas(),
    st.datetimes(timezones=ZONES, allow_imaginary=False),
    st.sampled_from([Colour.RED, Colour.BLUE, Size.SMALL, Loud.YES, Bits.A | Bits.B]),
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(ANY_TEXT, inner, max_size=4),
        st.dictionaries(HASHABLE, inner, max_size=4),
        st.sets(HASHABLE, max_size=4),
        st.frozensets(HASHABLE, max_size=4),
        st.builds(Plain, st.text(), st.lists(st.text(), max_size=2)),
        st.builds(Point, st.integers(), inner),
    ),
    max_leaves=20,
)


@given(VALUES)
@settings(max_examples=400, deadline=None)
def test_every_value_comes_back_with_its_types(value: object) -> None:
    assert same(round_trip(value), value)


@given(VALUES, VALUES)
@settings(max_examples=400, deadline=None)
def test_equal_bytes_mean_the_same_value(one: object, other: object) -> None:
    assert (canonical_bytes(one) == canonical_bytes(other)) is same(one, other)


@pytest.mark.parametrize(
    "distinct",
    [
        (("1", "2y3"), ("1y2", "3"), ("1", "2", "y3")),
        (1, "1", True, 1.0, Decimal(1), b"1", [1], (1,), {1}, frozenset({1}), {1: 1}, {"1": 1}, {True: 1}),
        (0, 0.0, -0.0, False, None, "", [], {}, ()),
        ([1, [2]], [[1], 2], [1, 2], [[1, 2]]),
        (2**53, float(2**53), str(2**53), {"$int": str(2**53)}),
        ({"$int": "5"}, 5, '{"$int":"5"}', {"$dict": []}, {"$tuple": [1]}, (1,)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ("\ud83d\ude00", "\U0001f600", {"$str": "f09f9880"}),
        (
            dt.datetime(2013, 1, 1),
            dt.date(2013, 1, 1),
            "2013-01-01T00:00:00",
            dt.datetime(2013, 1, 1, tzinfo=dt.UTC),
        ),
        (Colour.RED, 1, "RED", Size.SMALL, "s"),
        (Decimal("1.0"), Decimal("1.00")),
        (Point(1, "a"), (1, "a"), [1, "a"]),
        (Plain("a"), {"name": "a", "tags": []}, Model(a=1), {"a": 1}),
    ],
)
def test_different_values_never_collide(distinct: tuple[object, ...]) -> None:
    assert len({value_digest(value) for value in distinct}) == len(distinct)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, b"null"),
        (1, b"1"),
        (1.0, b"1.0"),
        (1e300, b"1e+300"),
        ("é", b'"\\u00e9"'),
        (2**53, b'{"$int":"9007199254740992"}'),
        (2**53 - 1, b"9007199254740991"),
        (math.nan, b'{"$float":"nan"}'),
        (-math.inf, b'{"$float":"-inf"}'),
        ((1, 2), b'{"$tuple":[1,2]}'),
        ({3, 1, 2}, b'{"$set":[1,2,3]}'),
        ({1: 2}, b'{"$dict":[[1,2]]}'),
        (b"\xff", b'{"$bytes":"/w=="}'),
        (dt.timedelta(days=-1, seconds=1), b'{"$timedelta":[-1,1,0]}'),
        (uuid.UUID(int=1), b'{"$uuid":"00000000-0000-0000-0000-000000000001"}'),
        (Colour.RED, f'{{"$enum":"{__name__}:Colour","name":"RED"}}'.encode()),
        (Plain("a"), f'{{"$dataclass":"{__name__}:Plain","fields":{{"name":"a","tags":[]}}}}'.encode()),
    ],
)
def test_the_bytes_are_as_documented(value: object, text: bytes) -> None:
    assert canonical_bytes(value) == text
    assert dumps(encode(value)) == text
    assert value_digest(value) == digest(text)


def test_integers_beyond_pythons_limit_of_digits() -> None:
    for value in (10**4000, -(10**9000), 2**100_000 + 1):
        assert round_trip(value) == value


def test_folds_and_zones() -> None:
    paris = ZoneInfo("Europe/Paris")
    for value in (
        dt.datetime(2013, 10, 27, 2, 30, tzinfo=paris, fold=1),
        dt.datetime(2013, 3, 31, 2, 30, tzinfo=paris),
        dt.time(1, 2, 3, 4, fold=1),
        dt.time(1, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))),
    ):
        back = round_trip(value)
        assert (back, back.fold, type(back.tzinfo)) == (value, value.fold, type(value.tzinfo))


def test_classes_come_back() -> None:
    frozen = Frozen(Plain("a", ["x"]), (1, 2))
    assert round_trip([frozen]) == [frozen]
    doubling = Doubling(5)
    assert (doubling.x, doubling.total) == (10, 15)
    assert round_trip(doubling) == doubling
    derived = round_trip(Derived(1))
    assert (derived.x, derived.note) == (2, "made")
    assert type(round_trip(Point(1))) is Point


def test_pydantic_models_come_back() -> None:
    model = Model.model_validate({"a": 1, "more": (1, 2)})
    model._hidden = 9
    back = round_trip(model)
    assert type(back) is Model
    assert back == model
    assert (back._hidden, back.model_fields_set, back.model_extra) == (9, {"a", "more"}, {"more": (1, 2)})
    assert round_trip(Row({1: "x"})) == Row({1: "x"})


class Odd:
    pass


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Odd(), f"{__name__}.Odd is not a value type"),
        ([1, 2, 3, Plain(Odd())], f"[3].name: {__name__}.Odd"),  # type: ignore[arg-type]
        ({"a": {"b": (1, object())}}, "['a']['b'][1]: object"),
        ({Odd: 1}, "key "),
        (Text("x"), "subclass of str"),
        (Counter("ab"), "subclass of dict"),
        (OrderedDict(), "subclass of dict"),
        (bytearray(b"x"), "bytearray"),
        (3j, "complex"),
        (len, "builtin_function_or_method"),
        (Plain, "type is not a value"),
        (
            dt.datetime(2013, 1, 1, tzinfo=type("Zone", (dt.tzinfo,), {"utcoffset": lambda *_: dt.timedelta()})()),
            "zone",
        ),
    ],
)
def test_other_objects_are_refused_with_their_place(value: object, message: str) -> None:
    with pytest.raises(NotAValue) as caught:
        encode(value)
    assert message in str(caught.value)


def test_numpy_scalars_are_refused_with_advice() -> None:
    np = pytest.importorskip("numpy", reason="numpy is not installed")
    with pytest.raises(NotAValue, match=r"\[0\]: numpy.float64 is .* call .item\(\)"):
        encode([np.float64(1)])


def test_what_contains_itself_is_refused() -> None:
    ring: list[object] = []
    ring.append(ring)
    with pytest.raises(NotAValue, match="contains itself"):
        encode(ring)


def test_a_local_class_is_refused() -> None:
    @dataclass
    class Local:
        x: int

    with pytest.raises(NotAValue, match="top of a module"):
        encode(Local(1))


@pytest.mark.parametrize(
    ("tagged", "message"),
    [
        ({"$enum": f"{__name__}:Plain", "name": "RED"}, "as an Enum, and it is not one"),
        ({"$dataclass": f"{__name__}:Odd", "fields": {}}, "as a dataclass, and it is not one"),
        ({"$dataclass": "os:system", "fields": {}}, "as a dataclass, and it is not one"),
        ({"$model": f"{__name__}:Plain", "fields": {}}, "as a pydantic model, and it is not one"),
        ({"$namedtuple": "builtins:tuple", "items": []}, "as a NamedTuple, and it is not one"),
        ({"$dataclass": "no_such_module:X", "fields": {}}, "cannot be imported here"),
        ({"$dataclass": f"{__name__}:Gone", "fields": {}}, "cannot be imported here"),
        ({"$dataclass": "just a name", "fields": {}}, "not of the form module:Name"),
        (
            {"$dataclass": f"{__name__}:Plain", "fields": {"name": "a", "old": 1}},
            "has fields that the class has not: old",
        ),
        ({"$enum": f"{__name__}:Colour", "name": "GREEN"}, "malformed $enum"),
        ({"$int": "x"}, "malformed $int"),
        ({"$bytes": "*"}, "malformed $bytes"),
        ({"$newer": 1}, "unknown tag '$newer'"),
    ],
)
def test_decoding_refuses_what_is_not_a_value(tagged: object, message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        decode(tagged)
    assert message in str(caught.value)


def test_json_text_has_no_nan() -> None:
    with pytest.raises(ValueError, match="NaN is not JSON"):
        loads(b"[NaN]")


def test_the_runtimes_store_side_imports_the_standard_library_only() -> None:
    code = """
import sys
before = set(sys.modules)
import crossdock_runtime.values, crossdock_runtime.store, crossdock_runtime.artifacts
from crossdock_runtime.materializers import base
for name in base.BUILT_IN:
    base.find(name)
tops = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(tops - set(sys.stdlib_module_names) - {"crossdock", "crossdock_runtime"}))
"""
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
