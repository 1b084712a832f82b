"""Parameters as the text that a platform hands on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.dsl.errors import BadInput
from crossdock_runtime import values
from crossdock_runtime.nodes import Parameter
from crossdock_runtime.parameters import native_text, parse_native

VALUES = {
    "str": st.text(),
    "int": st.integers(),
    "float": st.floats(),
    "bool": st.booleans(),
    "list[int]": st.lists(st.integers()),
    "dict[str, str]": st.dictionaries(st.text(), st.text()),
    "bytes": st.binary(),
    "datetime": st.datetimes(timezones=st.just(UTC)),
}


@given(data=st.data())
@pytest.mark.parametrize("type_", VALUES)
def test_the_text_of_a_value_is_read_as_that_value(type_: str, data: st.DataObject) -> None:
    tagged = values.encode(data.draw(VALUES[type_]))
    parameter = Parameter("p", type_)
    assert parse_native(native_text(tagged, parameter), parameter) == tagged


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        ("int", 2**70, str(2**70)),
        ("bool", True, "true"),
        ("int | None", None, "null"),
        ("str", "null", "null"),
        ("datetime", datetime(2013, 1, 1, tzinfo=UTC), '{"$datetime":"2013-01-01T00:00:00+00:00"}'),
    ],
)
def test_texts(type_: str, value: Any, text: str) -> None:
    assert native_text(values.encode(value), Parameter("p", type_)) == text


@pytest.mark.parametrize(("type_", "value"), [("str | None", ""), ("str | None", "null"), ("int | str", "5")])
def test_a_value_that_no_text_stands_for_is_refused(type_: str, value: str) -> None:
    with pytest.raises(BadInput, match="as text it means another value"):
        native_text(value, Parameter("p", type_))


def test_the_place_of_data_is_written_as_it_is() -> None:
    parameter = Parameter("p", "pathlib.Path", artifact=True)
    assert native_text("s3://bucket/5", parameter) == "s3://bucket/5"
    assert parse_native("s3://bucket/5", parameter) == "s3://bucket/5"
