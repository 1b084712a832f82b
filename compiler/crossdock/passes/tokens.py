"""The tokens of Python source that mean something: no comments, no layout.

They are the same on every supported Python: an f-string is one token, as Python 3.11 reads it.
Standard library only.
"""

from __future__ import annotations

import token
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

_LITERAL_STARTS = {getattr(token, name, -1) for name in ("FSTRING_START", "TSTRING_START")}
_LITERAL_ENDS = {getattr(token, name, -1) for name in ("FSTRING_END", "TSTRING_END")}
_DROPPED = {token.COMMENT, token.NL, token.ENDMARKER, token.ENCODING}
_MARKERS = {token.INDENT: "indent", token.DEDENT: "dedent", token.NEWLINE: "newline"}


class Word(NamedTuple):
    """A token: where it starts, its kind ("" or a layout marker) and its text."""

    start: tuple[int, int]
    kind: str
    text: str


def words(text: str) -> Iterator[Word]:
    """The tokens of a source text that mean something."""
    lines = text.split("\n")
    depth, start = 0, (0, 0)
    source = iter([line + "\n" for line in lines[:-1]] + [lines[-1]])
    for item in tokenize.generate_tokens(lambda: next(source, "")):
        if item.type in _LITERAL_STARTS:
            start = item.start if depth == 0 else start
            depth += 1
        elif item.type in _LITERAL_ENDS:
            depth -= 1
            if depth == 0:
                yield Word(start, "", _between(lines, start, item.end))
        elif depth == 0 and item.type not in _DROPPED:
            kind = _MARKERS.get(item.type, "")
            yield Word(item.start, kind, "" if kind else item.string)


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    (first, left), (last, right) = start, end
    if first == last:
        return lines[first - 1][left:right]
    return "\n".join([lines[first - 1][left:], *lines[first : last - 1], lines[last - 1][:right]])


def canonical(tokens: list[Word]) -> str:
    """Tokens as one text that no other list of tokens has."""
    return "".join(f"<{word.kind}>" if word.kind else f"{len(word.text)}:{word.text}" for word in tokens)
