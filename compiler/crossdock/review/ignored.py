"""`.crossdockignore`: what of a project no container needs, in the syntax of .gitignore.

Source: https://git-scm.com/docs/gitignore#_pattern_format
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

_PARTS = re.compile(r"/\*\*/|^\*\*/|/\*\*$|\*+|\?|\[[!^]?\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*\]|\\.|.", re.DOTALL)
_SPECIAL = {"/**/": "/(?:.*/)?", "**/": "(?:.*/)?", "/**": "/.+", "?": "[^/]"}
_CLASSES = {"alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "lower": "a-z", "upper": "A-Z", "space": r"\s"}


class Pattern(NamedTuple):
    """A line: what it matches, whether that is a folder only, and whether it takes back what others leave out."""

    matches: Callable[[str], object]
    folder: bool
    taken_back: bool


def ignores(lines: Iterable[str]) -> Callable[[str], bool]:
    """Says of a file's path, with "/" and below the root, whether the lines leave it out."""
    patterns = [found for line in lines if (found := _pattern(line)) is not None]
    folders: dict[str, bool] = {"": False}

    def last_word(path: str, *, folder: bool) -> bool:
        for pattern in reversed(patterns):
            if (folder or not pattern.folder) and pattern.matches(path):
                return not pattern.taken_back
        return False

    def in_ignored(folder: str) -> bool:
        # git looks into no folder that is left out, so nothing in it is taken back.
        if folder not in folders:
            folders[folder] = in_ignored(folder.rpartition("/")[0]) or last_word(folder, folder=True)
        return folders[folder]

    return lambda path: in_ignored(path.rpartition("/")[0]) or last_word(path, folder=False)


def _pattern(line: str) -> Pattern | None:
    text = re.sub(r"(?<!\\)[ \t]+$", "", line.rstrip("\r\n"))
    if not text or text.startswith("#"):
        return None
    taken_back = text.startswith("!")
    text = text[taken_back:]
    folder = text.endswith("/")
    text = text.rstrip("/") if folder else text
    anywhere = "/" not in text
    found = "".join(map(_translated, _PARTS.findall(text.removeprefix("/"))))
    try:
        regex = re.compile(f"(?:.*/)?{found}" if anywhere else found, re.DOTALL)
    except re.error:
        return None  # git matches nothing with it either
    return Pattern(regex.fullmatch, folder, taken_back)


def _translated(part: str) -> str:
    if part in _SPECIAL:
        return _SPECIAL[part]
    if part[0] == "*":
        return "[^/]*"
    if part[0] == "[" and len(part) > 1:
        inside = part[1:-1]
        head = "^/" if inside[0] in "!^" else ""
        inside = inside[1:] if head else inside
        for name, ranges in _CLASSES.items():
            inside = inside.replace(f"[:{name}:]", ranges)
        inside = inside.replace("[", r"\[").replace("]", r"\]") if not inside.startswith("\\") else inside
        return f"(?!/)[{head}{inside}]"
    return re.escape(part[-1])
