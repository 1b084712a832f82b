"""What `docker login` has stored: in its configuration file, or with a credential helper.

Sources: https://docs.docker.com/reference/cli/docker/login/#credential-stores and
https://github.com/docker/docker-credential-helpers#development for what a helper is asked and answers.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crossdock.dsl.errors import BadInput, PlatformError
from crossdock.stacks import Login

IDENTITY = "<token>"
"""The user of a login whose password is an identity token: one to be exchanged for others, by OAuth 2."""
_HELPER_SECONDS = 60
_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
_HUB_KEY = "https://index.docker.io/v1/"
_NOT_FOUND = "credentials not found"


def stored_login(host: str) -> Login | None:
    """The login for a registry; None where there is none.

    Raises:
        BadInput: the file is damaged, or a helper that it names is not installed.
        PlatformError: the helper fails.
    """
    file = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it is no JSON object")
        helpers = _mapping(config, "credHelpers")
        helper = next((helpers[key] for key in _keys(host) if key in helpers), config.get("credsStore"))
        found = _ask(str(helper), host) if helper else None
        return found or _in_file(_mapping(config, "auths"), host)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}", id="unreadable-file") from error
    except ValueError as error:
        raise BadInput(
            f"docker's configuration {file} is damaged: {error}", hint="docker login writes it again", id="bad-config"
        ) from error


def _mapping(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = config.get(key) or {}
    if not isinstance(found, dict):
        raise ValueError(f"{key} is no JSON object")
    return found


def _keys(host: str) -> Iterator[str]:
    """What a registry is called in the file: docker's own for its hub is a URL of old."""
    for name in _HUB if host in _HUB else (host,):
        yield from (name, f"https://{name}", f"https://{name}/v1/", f"https://{name}/v2/", f"http://{name}")


def _in_file(auths: Mapping[str, Any], host: str) -> Login | None:
    for key in _keys(host):
        entry = auths.get(key)
        if not isinstance(entry, dict):
            continue
        if entry.get("identitytoken"):
            return Login(IDENTITY, str(entry["identitytoken"]))
        if entry.get("auth"):
            try:
                user, colon, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise ValueError(f"the login of {key} cannot be decoded") from None
            if colon:
                return Login(user, password.rstrip("\0"))
        if entry.get("username") and entry.get("password"):
            return Login(str(entry["username"]), str(entry["password"]))
    return None


def _ask(helper: str, host: str) -> Login | None:
    program = f"docker-credential-{helper}"
    server = _HUB_KEY if host in _HUB else host
    try:
        done = subprocess.run(
            [program, "get"], input=server, capture_output=True, text=True, timeout=_HELPER_SECONDS, check=False
        )
    except FileNotFoundError:
        raise BadInput(
            f"docker's configuration names the credential helper {helper!r}, but there is no program {program}",
            hint=f"install {program}, or take it out of docker's config.json",
            id="missing-library",
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PlatformError(f"{program} gives no login for {host}: {error}", id="login-failed") from error
    if done.returncode:
        said = (done.stdout or done.stderr).strip()
        if _NOT_FOUND in said:
            return None
        raise PlatformError(
            f"{program} gives no login for {host}: {said}", hint=f"docker login {host}", id="login-failed"
        )
    try:
        answer = json.loads(done.stdout)
        return Login(answer["Username"], answer["Secret"])
    except (ValueError, KeyError, TypeError):
        raise PlatformError(f"{program} answers something else than a login for {host}", id="login-failed") from None
