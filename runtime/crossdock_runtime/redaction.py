"""Blank secrets in texts, also in the forms in which they turn up in logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

BLANK = "•••"
SHORTEST = 4
"""Characters. What is shorter is part of ordinary words: to blank it would spoil the lines, and tell what it is."""
_SHORTEST_FORM = 6
_SECRET_KEYS = ("credential", "key", "pass", "private", "pwd", "secret", "token")

_always: set[str] = set()


def hide_always(secret: str) -> None:
    """Blank a secret in all that this process logs from now on."""
    _always.update(forms(secret))


def always_hidden() -> frozenset[str]:
    """What this process blanks in any case, for a process that it starts."""
    return frozenset(_always)


def hide_as_well(found: frozenset[str]) -> None:
    """Blank what the process that started this one blanks in any case."""
    _always.update(found)


class Redaction:
    """Knows secrets, and blanks them."""

    def __init__(self) -> None:
        self._forms: set[str] = set()
        self._known = 0
        self._pattern: re.Pattern[str] | None = None

    def hide(self, secret: str) -> None:
        """Blank a secret's value from now on."""
        self._forms.update(forms(secret))

    def blank(self, text: str) -> str:
        """A text without the secrets in it."""
        count = len(self._forms) + len(_always)
        if count != self._known:
            self._known = count
            words = sorted(self._forms | _always, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, words)))
        return text if self._pattern is None else self._pattern.sub(BLANK, text)


def blank(text: str) -> str:
    """A text without the secrets that are always hidden."""
    return Redaction().blank(text)


def forms(secret: str) -> set[str]:
    """A secret as it may stand in a log: itself, its lines, its entries where it is JSON, each as URLs, JSON, Python's
    literals and base64 write it; nothing of a secret that is too short.
    """
    parts = {secret, secret.strip(), *(line.strip() for line in secret.splitlines()), *_entries(secret)}
    return {form for part in parts if len(part) >= SHORTEST for form in _written(part)}


def _written(part: str) -> Iterator[str]:
    import json
    from urllib.parse import quote, quote_plus

    data = part.encode("utf-8", "surrogateescape")
    yield part
    for form in (
        quote(part, safe="", errors="surrogateescape"),
        quote(part, errors="surrogateescape"),
        quote_plus(part, errors="surrogateescape"),
        json.dumps(part)[1:-1],
        json.dumps(part, ensure_ascii=False)[1:-1],
        repr(part)[1:-1],
        repr(data)[2:-1],
        *_base64(data),
    ):
        if len(form) >= min(_SHORTEST_FORM, len(part)):
            yield form


def _base64(data: bytes) -> Iterator[str]:
    """As base64 alone, and in the middle of more: what of it depends on no neighbour, at each of three offsets."""
    from base64 import b64encode

    whole = b64encode(data).decode()
    found = [whole, whole.rstrip("=")]
    for before in range(3):
        text = b64encode(bytes(before) + data).decode()
        found.append(text[(8 * before + 5) // 6 : 8 * (before + len(data)) // 6])
    for text in found:
        if len(text) >= _SHORTEST_FORM:
            yield text
            yield text.replace("+", "-").replace("/", "_")


def _entries(secret: str) -> Iterator[str]:
    """The texts in a secret that is a JSON object, where their names say that they are secret."""
    import json

    try:
        body = json.loads(secret) if secret.lstrip()[:1] in ("{", "[") else None
    except ValueError:
        return

    def below(value: Any, secretive: bool) -> Iterator[str]:
        if isinstance(value, str) and secretive:
            yield value
            yield from (line.strip() for line in value.splitlines())
        for key, item in value.items() if isinstance(value, dict) else ():
            yield from below(item, any(word in key.lower() for word in _SECRET_KEYS))
        for item in value if isinstance(value, list) else ():
            yield from below(item, secretive)

    yield from below(body, False)
