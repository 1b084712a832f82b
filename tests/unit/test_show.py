"""Values as a line for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock_runtime import values
from crossdock_runtime.manifest import Manifest
from crossdock_runtime.show import manifest_text, tagged_text


class Colour(Enum):
    RED = 1


@dataclass
class Score:
    model: str
    errors: list[float]


class Pair(NamedTuple):
    left: int
    right: str


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Score("mean", [1.5]), "Score(model='mean', errors=[1.5])"),
        (Pair(1, "b"), "Pair(1, 'b')"),
        (Colour.RED, "Colour.RED"),
        ((1,), "(1,)"),
        ({1: "a"}, "{1: 'a'}"),
        ({"a": {2}}, "{'a': {2}}"),
        (date(2013, 1, 1), "2013-01-01"),
        (datetime(2013, 1, 1, tzinfo=UTC), "2013-01-01T00:00:00+00:00"),
        (Decimal("1.50"), "1.50"),
        (b"\x00a", "b'\\x00a'"),
        (float("nan"), "nan"),
        (None, "None"),
    ],
)
def test_as_in_python(value: Any, text: str) -> None:
    assert tagged_text(values.encode(value)) == text


SCALARS: tuple[Callable[[], st.SearchStrategy[Any]], ...] = (st.text, st.integers, st.booleans, st.none)


@given(st.recursive(st.one_of(*(each() for each in SCALARS)), lambda inner: st.lists(inner) | st.tuples(inner, inner)))
def test_plain_values_are_shown_as_their_repr(value: Any) -> None:
    if "surrogate" not in repr(value):
        assert tagged_text(values.encode(value)) == repr(value)


def test_a_long_value_is_cut() -> None:
    manifest = Manifest.from_json(
        {"type": "str", "materializer": "value@1", "digest": "sha256:", "size": 9, "value": "x" * 100}
    )
    assert len(manifest_text(manifest)) == 60
