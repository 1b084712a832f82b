"""Canonical JSON text and its digest, and the two errors of `crossdock_runtime.values`."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Never

Tagged = Any
"""A JSON document: None, bool, int, float, str, list or dict with str keys."""


class NotAValue(TypeError):
    """An object that is not a value, and so cannot travel as JSON.

    Attributes:
        reason: what is wrong with it.
        path: where it was found inside the whole, such as `[3].name`; empty for the whole.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class NotDecodable(ValueError):
    """A tagged document that does not describe a value."""


def digest(data: bytes) -> str:
    """`sha256:<hex>` of some bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _no_constant(name: str) -> Never:
    raise NotDecodable(f"{name} is not JSON")


_encode_json = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode
_decode_json = json.JSONDecoder(parse_constant=_no_constant).decode


def dumps(tagged: Tagged) -> bytes:
    """Canonical JSON bytes of a document that is tagged already."""
    return _encode_json(tagged).encode("ascii")


def loads(data: bytes) -> Tagged:
    """The document in some JSON bytes.

    Raises:
        ValueError: the bytes are not JSON.
    """
    return _decode_json(data.decode("utf-8"))
