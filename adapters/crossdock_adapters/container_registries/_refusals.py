"""What a registry says when it says no, and what to do then."""

from __future__ import annotations

import json

import requests

from crossdock.dsl.errors import PlatformError

_QUOTA = ("quota", "storage limit", "no space", "insufficient storage")


def refused(host: str, what: str, answer: requests.Response) -> PlatformError:
    """The error of an answer.

    Source of its form: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes
    """
    said = _said(answer)
    status = answer.status_code
    message = f"{host} refuses to {what}: {said}"
    if status == 429:
        hint = f"it takes no more requests for now: wait, or log in for a higher limit: docker login {host}"
    elif status in (413, 507) or any(word in said.lower() for word in _QUOTA):
        hint = "delete images that nobody needs, or ask for more space"
    elif status == 401:
        hint = f"docker login {host}, or give the container registry credentials"
    elif status in (403, 405):
        hint = "ask for the permission to pull and to push there; is the name of the repository right?"
    elif status == 404:
        hint = "is the name of the repository right? some registries want it made before"
    else:
        hint = "try again later" if status >= 500 else "what the registry says is all that is known"
    return PlatformError(message, hint=hint, id="registry-refused")


def unreachable(host: str, what: str, error: Exception) -> PlatformError:
    """The error where there is no answer."""
    text = str(error)
    message = f"{host} cannot be reached to {what}"
    if isinstance(error, requests.exceptions.SSLError):
        if "WRONG_VERSION_NUMBER" in text or "record layer" in text:
            return PlatformError(
                f"{message}: it does not speak HTTPS", hint="--insecure is for HTTP", id="registry-unreachable"
            )
        return PlatformError(
            f"{message}: its certificate is not trusted: {_last(text)}",
            hint="REQUESTS_CA_BUNDLE=FILE names the certificates of your organization",
            id="registry-unreachable",
        )
    return PlatformError(
        f"{message}: {_last(text)}", hint="is the name right, and is the network there?", id="registry-unreachable"
    )


def _last(text: str) -> str:
    """Of a chain of errors in a text, the innermost."""
    return text.rpartition("Caused by ")[2].removesuffix(")") or text


def _said(answer: requests.Response) -> str:
    """The codes and messages of an answer; its status where it says nothing."""
    status = f"{answer.status_code} {answer.reason or ''}".strip()
    try:
        document = json.loads(answer.content)
        errors = document.get("errors") or [document]
        parts = [f"{error.get('code', '')} {error.get('message') or error.get('details') or ''}" for error in errors]
        found = "; ".join(filter(None, (part.strip() for part in parts)))
    except (ValueError, AttributeError, TypeError, OSError):
        found = ""
    return f"{status}: {found}" if found else status
