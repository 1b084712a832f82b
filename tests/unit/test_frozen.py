"""Records are what `dataclass(frozen=True, slots=True)` would make of the same class."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest

from crossdock.dsl.frozen import frozen


@frozen
class Point:
    """A record."""

    x: int
    y: int = 2
    tags: Mapping[str, str] = field(default_factory=dict)


@frozen
class Positive:
    """A record that checks itself, and makes a field of its own."""

    number: float

    def __post_init__(self) -> None:
        if self.number <= 0:
            raise ValueError("not positive")
        object.__setattr__(self, "number", float(self.number))


@frozen
class Named:
    """A record with an `__init__` of its own."""

    name: str

    def __init__(self, **words: str) -> None:
        object.__setattr__(self, "name", " ".join(words))


@dataclass(frozen=True, slots=True)
class Twin:
    """What `Point` is held to."""

    x: int
    y: int = 2
    tags: Mapping[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(("args", "kwargs"), [((1,), {}), ((1, 3), {}), ((), {"x": 1, "tags": {"a": "b"}})])
def test_it_is_made_and_shown_as_a_dataclass(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    made, twin = Point(*args, **kwargs), Twin(*args, **kwargs)
    assert asdict(made) == asdict(twin)
    assert repr(made) == repr(twin).replace("Twin", "Point")
    assert [(item.name, item.default) for item in fields(Point)] == [(item.name, item.default) for item in fields(Twin)]
    assert is_dataclass(Point)


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1, 2, {}, 4), {}), ((1,), {"x": 1}), ((1,), {"z": 1})])
def test_wrong_arguments_are_refused(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Point(*args, **kwargs)


def test_each_gets_a_default_of_its_own() -> None:
    assert Point(1).tags is not Point(1).tags


def test_it_never_changes() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError, match="cannot change 'x' of a Point"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x
    with pytest.raises(FrozenInstanceError):
        point.other = 2  # type: ignore[attr-defined]
    assert not hasattr(point, "__dict__")


def test_equality_is_of_type_and_fields() -> None:
    assert Positive(2) == Positive(2.0)
    assert Positive(2) != Positive(3)
    assert Point(1) != Twin(1)
    assert hash(Positive(2)) == hash(Positive(2))
    assert len({Positive(1), Positive(1), Positive(2)}) == 2


def test_replace_checks_again() -> None:
    assert replace(Point(1), y=5) == Point(1, 5)
    with pytest.raises(ValueError, match="not positive"):
        replace(Positive(1), number=-1)


@pytest.mark.parametrize("record", [Point(1, tags={"a": "b"}), Positive(2), Named(a="", b="")])
def test_it_is_copied_and_pickled(record: Any) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(record, protocol)) == record
    assert copy.copy(record) == copy.deepcopy(record) == record


def test_it_matches_by_position() -> None:
    match Point(1, 5):
        case Point(x, y):
            assert (x, y) == (1, 5)
