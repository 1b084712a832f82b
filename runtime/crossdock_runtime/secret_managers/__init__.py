"""Secrets in the clouds' secret managers: each read once in a process, by its vendor's own library.

A file a vendor has `fetch(parts) -> str`, and is the only one that imports that library.
"""

from __future__ import annotations

import importlib
import json
import threading
import time

from crossdock.dsl.secret_references import parts
from crossdock_runtime.failure import TaskFailed

LIBRARIES = {
    "aws": ("boto3>=1.34",),
    "gcp": ("google-cloud-secret-manager>=2.20", "requests>=2.31"),
    "azure": ("azure-identity>=1.16", "azure-keyvault-secrets>=4.8"),
}
"""What has to be installed to read a secret of each source, as requirements."""

WAIT_SECONDS = 10.0
"""For an answer, of which there are `TRIES`."""
TRIES = 3
KEPT_SECONDS = 300.0
"""A value is asked for again afterwards: a notebook lives longer than some passwords."""

_kept: dict[tuple[str, str], tuple[float, str]] = {}
_lock = threading.Lock()


class Refused(Exception):
    """Why a secret cannot be had, without its value; `hint` says what to do."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.hint = hint


def read(source: str, reference: str, name: str) -> str:
    """The value of a secret; several references to entries of one ask for it once.

    Args:
        source: a key of `LIBRARIES`.
        reference: as `crossdock.dsl.settings.Secret` describes it.
        name: what it is for, for messages.

    Raises:
        TaskFailed: it is not there, may not be read, or cannot be had; never with the value.
    """
    try:
        return _read(source, reference)
    except Refused as refused:
        message = f"the secret {name} cannot be had from {source} ({reference}): {refused}"
        raise TaskFailed("missing secret", message, refused.hint) from None
    except ImportError as error:
        wanted = " ".join(f"'{text}'" for text in LIBRARIES[source])
        raise TaskFailed(
            "missing secret",
            f"the secret {name} cannot be had from {source} ({reference}): {error}",
            f"pip install {wanted}; in an image: name them in the step's requirements",
        ) from None


def _read(source: str, reference: str) -> str:
    found = parts(source, reference)
    if found is None:
        raise Refused("this is no reference to a secret", "compile the pipeline again")
    key = found.pop("key", None)
    place = source, reference if key is None else reference.removesuffix(f"#{key}")
    with _lock:
        since, value = _kept.get(place, (0.0, ""))
        if not since or time.monotonic() - since > KEPT_SECONDS:
            value = importlib.import_module(f"{__name__}.{source}").fetch(found)
            _kept[place] = time.monotonic(), value
    if key is not None:
        value = _entry(value, key)
    if "\0" in value:
        raise Refused("its value holds a NUL, which no environment variable can", "keep it as text, such as base64")
    return value


def _entry(value: str, key: str) -> str:
    try:
        body = json.loads(value)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(f"it is no JSON object, so it has no entry {key!r}", f"leave out #{key}")
    if key not in body:
        raise Refused(f"it has no entry {key!r}", "name one of the entries that it has")
    return body[key] if isinstance(body[key], str) else json.dumps(body[key])


def first_line(error: BaseException) -> str:
    """What a vendor's library says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
