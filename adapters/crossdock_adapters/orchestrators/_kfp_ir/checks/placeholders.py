"""Texts that are filled in when a task starts: what they name has to be there, and has to be filled in at all.

What KFP does with each was found by running its driver and launcher, version 2.17.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_ANY = re.compile(r"\{\{\$(?P<inner>[^{}]*)\}\}")
_NAMED = re.compile(
    r"^\.(?P<side>inputs|outputs)\.(?P<kind>parameters|artifacts)\[(?P<quote>['\"])(?P<name>.*?)(?P=quote)\](?P<rest>.*)$",
    re.DOTALL,
)
JOB = re.compile(
    r"\{\{\$\.pipeline_(job_(name|resource_name|uuid|create_time_utc|schedule_time_utc)|task_(name|uuid))\}\}"
)
"""What a constant that a task is given may be, as a whole."""
_ENDS = {
    ("inputs", "parameters"): ("",),
    ("inputs", "artifacts"): (".uri", ".path"),
    ("outputs", "parameters"): (".output_file",),
    ("outputs", "artifacts"): (".uri", ".path"),
}


class Placeholder(NamedTuple):
    """A `{{$…}}` of a text.

    Attributes:
        text: all of it.
        side: inputs or outputs; empty for the whole input of the executor and for what is no input or output.
        kind: parameters or artifacts.
        resolved: whether KFP fills it in.
        guarded: whether it stands in an `IfPresent`, so that its input may be missing.
    """

    text: str
    side: str = ""
    kind: str = ""
    name: str = ""
    resolved: bool = True
    guarded: bool = False


def placeholders(text: str) -> Iterator[Placeholder]:
    """Those of a word of a command, with those inside of `IfPresent` and `Concat`."""
    body = _structured(text)
    if body is not None:
        yield from _inside(body, guarded=False)
        return
    yield from _plain(text, guarded=False)


def _plain(text: str, guarded: bool) -> Iterator[Placeholder]:
    for match in _ANY.finditer(text):
        named = _NAMED.match(match["inner"])
        if named is None:
            yield Placeholder(match[0], resolved=not match["inner"], guarded=guarded)
        else:
            resolved = named["rest"] in _ENDS[named["side"], named["kind"]]
            yield Placeholder(match[0], named["side"], named["kind"], named["name"], resolved, guarded)


def _structured(text: str) -> Any:
    if not text.startswith(('{"IfPresent"', '{"Concat"')):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _inside(body: Any, guarded: bool) -> Iterator[Placeholder]:
    if isinstance(body, str):
        yield from _plain(body, guarded)
    elif isinstance(body, list):
        for item in body:
            yield from _inside(item, guarded)
    elif isinstance(body, dict):
        for key, value in body.items():
            if key == "IfPresent" and isinstance(value, dict):
                name = str(value.get("InputName", ""))
                yield Placeholder(f"IfPresent of {name!r}", "inputs", "", name, guarded=True)
                yield from _inside(value.get("Then"), guarded=True)
                yield from _inside(value.get("Else"), guarded)
            elif key == "Concat":
                yield Placeholder("Concat", resolved=False, guarded=guarded)
                yield from _inside(value, guarded)


def of_constant(value: Any) -> Iterator[Placeholder]:
    """Those of a constant that a task is given; `{{$.workspace_path}}` is filled in anywhere."""
    if isinstance(value, str):
        for found in _plain(value, guarded=False):
            if found.text == "{{$.workspace_path}}" or (JOB.fullmatch(found.text) and value == found.text):
                found = found._replace(resolved=True)
            yield found
    elif isinstance(value, list):
        for item in value:
            yield from of_constant(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from of_constant(item)
