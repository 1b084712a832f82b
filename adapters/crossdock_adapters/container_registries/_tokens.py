"""How a registry is told who asks: Basic, or Bearer with a token of its token server.

Sources: https://distribution.github.io/distribution/spec/auth/token/ and, for identity tokens,
https://distribution.github.io/distribution/spec/auth/oauth/
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import requests

from crossdock.dsl.errors import PlatformError
from crossdock.stacks import Login
from crossdock_adapters.container_registries._docker_login import IDENTITY
from crossdock_adapters.container_registries._refusals import refused

_PARAMETER = re.compile(r'([a-z_]+)="([^"]*)"', re.IGNORECASE)
_SHORTEST = 60  # seconds a token holds that says nothing of it, by the specification
_EARLY = 10
_TIMEOUT = (10, 60)
_CLIENT = "crossdock"

Signer = Callable[[requests.PreparedRequest], requests.PreparedRequest]


class Tokens:
    """The Authorization header for each set of scopes."""

    def __init__(self, session: requests.Session, host: str, login: Login | None, *, insecure: bool) -> None:
        self._session = session
        self._host = host
        self._login = login
        self._insecure = insecure
        self._basic = False
        self._known: dict[tuple[str, ...], tuple[str, float]] = {}

    def signer(self, scopes: tuple[str, ...]) -> Signer:
        """Signs a request with what is known to hold still."""
        header, until = self._known.get(scopes, ("", 0.0))
        if self._basic:
            header, until = self._basic_header(), float("inf")

        def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
            if header and time.monotonic() < until:
                request.headers["Authorization"] = header
            return request

        return sign

    def meet(self, challenge: str, scopes: tuple[str, ...]) -> bool:
        """Do what a 401 asks for; False where nothing can be done.

        Raises:
            PlatformError: the token server refuses.
        """
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "basic" and self._login is not None:
            again, self._basic = self._basic, True
            return not again
        if scheme.lower() != "bearer":
            return False
        asked = {name.lower(): value for name, value in _PARAMETER.findall(rest)}
        realm = urlsplit(asked.get("realm", ""))
        if realm.scheme not in ("https", "http"):
            raise PlatformError(f"{self._host} names no server for its tokens: {challenge}", id="registry-refused")
        login = self._login
        if login is not None and realm.scheme == "http" and not self._insecure:
            raise PlatformError(
                f"{self._host} wants the password sent to {realm.geturl()}, which is not encrypted",
                id="registry-refused",
            )
        token, seconds = self._fetch(realm.geturl(), asked.get("service", ""), scopes, login)
        self._known[scopes] = (f"Bearer {token}", time.monotonic() + max(seconds, _SHORTEST) - _EARLY)
        return True

    def _fetch(self, realm: str, service: str, scopes: tuple[str, ...], login: Login | None) -> tuple[str, float]:
        what = "give a token" if login is not None else "give a token to an anonymous user"
        common = {"service": service, "client_id": _CLIENT}
        if login is not None and login.user == IDENTITY:
            form = {**common, "grant_type": "refresh_token", "refresh_token": login.password, "scope": " ".join(scopes)}
            answer = self._session.post(realm, data=form, auth=_as_it_is, timeout=_TIMEOUT)
        else:
            query = [*common.items(), *(("scope", scope) for scope in scopes)]
            auth = _as_it_is if login is None else requests.auth.HTTPBasicAuth(*_bytes(login))
            answer = self._session.get(realm, params=query, auth=auth, timeout=_TIMEOUT)
        with answer:
            if answer.status_code in (429, 500, 502, 503, 504):
                raise requests.exceptions.ConnectionError(f"{answer.status_code} {answer.reason} from {realm}")
            if answer.status_code != 200:
                raise refused(self._host, what, answer)
            try:
                body = answer.json()
                return str(body.get("token") or body["access_token"]), float(body.get("expires_in") or _SHORTEST)
            except (ValueError, KeyError, AttributeError, TypeError):
                raise PlatformError(
                    f"{urlsplit(realm).netloc} answers something else than a token for {self._host}",
                    id="registry-refused",
                ) from None

    def _basic_header(self) -> str:
        assert self._login is not None
        return "Basic " + base64.b64encode(b":".join(_bytes(self._login))).decode()


def _bytes(login: Login) -> tuple[bytes, bytes]:
    return login.user.encode(), login.password.encode()


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """In the place of a login, so that none of ~/.netrc is taken."""
    return request
