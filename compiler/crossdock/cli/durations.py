"""Durations on the command line."""

from __future__ import annotations

from typing import Any

import click

from crossdock.dsl.errors import TraceError


class Duration(click.ParamType):  # type: ignore[type-arg]
    """Seconds of `90`, `1h30m` or `30d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from crossdock.dsl.settings import parse_seconds

        if isinstance(value, float):
            return value
        try:
            return float(value) if value.replace(".", "", 1).isdecimal() else parse_seconds(value, "")
        except TraceError:
            self.fail(f"{value!r} is no duration such as 12h or 30d", param, ctx)
