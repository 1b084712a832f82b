"""A client of the OCI distribution protocol: what it takes to read a base image and to push one.

Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md

oras, the one Python library for it that is kept well, was looked at (0.2.43) and left: it neither mounts blobs of
another repository nor streams from one registry to another, asks for tokens of one scope only, waits without end, and
says ValueError whatever happened. requests does what is hard: connections, proxies, certificates.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

import requests

from crossdock.dsl.errors import PlatformError
from crossdock.dsl.frozen import frozen
from crossdock.stacks import Login
from crossdock_adapters.container_registries._reference import HUB
from crossdock_adapters.container_registries._refusals import refused, unreachable
from crossdock_adapters.container_registries._tokens import Tokens

MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_ATTEMPTS = 5
_LONGEST_WAIT = 60.0
_TIMEOUT = (10, 120)
_AGAIN = (408, 429, 500, 502, 503, 504)
_LARGEST_MANIFEST = 4 * 1024 * 1024  # what registries have to take, by the specification


@frozen
class Descriptor:
    """What a manifest says of a blob. Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md"""

    media_type: str
    digest: str
    size: int


T = TypeVar("T")


class Reader(Protocol):
    """Bytes, a piece at a time."""

    def read(self, size: int = -1, /) -> bytes: ...


Source = Callable[[], AbstractContextManager[Reader]]
"""Opens the bytes of a blob; once for each attempt."""


class _Sized:
    """A body whose length requests can ask for; it fails when the bytes end early."""

    def __init__(self, reader: Reader, size: int) -> None:
        self._reader = reader
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(1 << 16):
            yield piece

    def read(self, size: int = -1) -> bytes:
        return self._reader.read(size)


class Verified:
    """A blob as it comes, held to its size and digest at the end."""

    def __init__(self, reader: Reader, blob: Descriptor, place: str) -> None:
        self._reader = reader
        self._blob = blob
        self._place = place
        self._found = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1, /) -> bytes:
        piece = self._reader.read(size)
        self._found.update(piece)
        self._size += len(piece)
        if (not piece or size < 0 or self._size >= self._blob.size) and (
            self._size != self._blob.size or f"sha256:{self._found.hexdigest()}" != self._blob.digest
        ):
            raise requests.exceptions.ChunkedEncodingError(f"{self._place} gives other bytes than {self._blob.digest}")
        return piece


class Distribution:
    """A registry.

    Args:
        host: `host[:port]`, as in names of images.
        login: None is anonymous.
        insecure: whether it speaks HTTP.
        tell: is given each line that a person who waits should read.
    """

    def __init__(
        self, host: str, login: Login | None, *, insecure: bool = False, tell: Callable[[str], None] = lambda line: None
    ) -> None:
        self.host = host
        self._base = f"{'http' if insecure else 'https'}://{'registry-1.docker.io' if host == HUB else host}"
        self._session = requests.Session()
        self._tokens = Tokens(self._session, host, login, insecure=insecure)
        self._tell = tell

    def manifest(self, repository: str, version: str) -> tuple[Descriptor, dict[str, Any]] | None:
        """A manifest or an index, by tag or digest; None where there is none.

        Raises:
            PlatformError: the registry refuses, cannot be reached, or gives something else.
        """
        accept = {"Accept": ", ".join((*MANIFESTS, *INDEXES))}
        what = f"read {repository}:{version}".replace(":sha256:", "@sha256:")
        path = f"/v2/{repository}/manifests/{version}"
        with self._ask("GET", path, what, (_pull(repository),), headers=accept, given=(200, 404)) as answer:
            if answer.status_code == 404:
                return None
            body = answer.raw.read(_LARGEST_MANIFEST + 1, decode_content=True)
            media_type = answer.headers.get("Content-Type", "").partition(";")[0]
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        try:
            document = json.loads(body)
            if version.startswith("sha256:") and version != digest:
                raise ValueError("its digest is another one")
            media_type = str(document.get("mediaType", media_type))
        except (ValueError, AttributeError) as error:
            raise PlatformError(f"{self.host} gives no manifest for {what}: {error}", id="bad-base-image") from error
        if media_type not in (*MANIFESTS, *INDEXES):
            raise PlatformError(
                f"{self.host}/{repository} has a manifest of the type {media_type!r}",
                hint="it has to be an OCI image, or Docker's of version 2, schema 2: push it again with a newer docker",
                id="bad-base-image",
            )
        return Descriptor(media_type, digest, len(body)), document

    @contextlib.contextmanager
    def blob(self, repository: str, blob: Descriptor) -> Iterator[Reader]:
        """The bytes of a blob, as they come; its digest is checked where they end.

        Raises:
            PlatformError: the registry refuses, or cannot be reached.
        """
        path = f"/v2/{repository}/blobs/{blob.digest}"
        with self._ask("GET", path, f"read a layer of {repository}", (_pull(repository),)) as answer:
            yield Verified(_Raw(answer), blob, f"{self.host}/{repository}")

    def read(self, repository: str, blob: Descriptor) -> bytes:
        """A small blob.

        Raises:
            PlatformError: the registry refuses, or cannot be reached.
        """

        def whole() -> bytes:
            with self.blob(repository, blob) as reader:
                return b"".join(iter(lambda: reader.read(1 << 16), b""))

        return self.tried(f"read {repository}", whole)

    def has(self, repository: str, digest: str) -> bool:
        """Whether a blob is in a repository.

        Raises:
            PlatformError: the registry refuses, or cannot be reached.
        """
        path = f"/v2/{repository}/blobs/{digest}"
        given = (200, 404, 301, 302, 303, 307, 308)
        with self._ask("HEAD", path, f"look into {repository}", (_push(repository),), given=given) as answer:
            return bool(answer.status_code != 404)

    def push_blob(self, repository: str, blob: Descriptor, source: Source, mount: str | None = None) -> str:
        """Have a blob in a repository.

        As docker does it, since every registry was tried with that: the bytes in one PATCH, the digest in a PUT.

        Args:
            repository: where to.
            blob: its digest and size.
            source: its bytes.
            mount: another repository of this registry that has it.

        Returns:
            What was done: `there`, `mounted` or `pushed`.

        Raises:
            PlatformError: the registry refuses, or cannot be reached.
        """
        if self.has(repository, blob.digest):
            return "there"
        what = f"take a layer of {repository}"

        def push() -> str:
            place = self._begin(repository, blob, mount, what)
            if place is None:
                return "mounted"
            with source() as reader:
                place = self._send(repository, place, _Sized(reader, blob.size), what)
            separator = "&" if urlsplit(place).query else "?"
            url = f"{place}{separator}digest={blob.digest.replace(':', '%3A')}"
            with self._ask("PUT", url, what, (_push(repository),), given=(201, 204)):
                return "pushed"

        return self.tried(what, push)

    def push_manifest(self, repository: str, version: str, media_type: str, body: bytes) -> None:
        """Write a manifest, under its digest or a tag.

        Raises:
            PlatformError: the registry refuses, or cannot be reached.
        """
        path, headers = f"/v2/{repository}/manifests/{version}", {"Content-Type": media_type}
        with self._ask("PUT", path, f"take {repository}", (_push(repository),), headers, body, given=(200, 201)):
            pass

    def _begin(self, repository: str, blob: Descriptor, mount: str | None, what: str) -> str | None:
        """Where the bytes go; None when they were mounted."""
        path, scopes = f"/v2/{repository}/blobs/uploads/", [_push(repository)]
        if mount is not None:
            path += f"?mount={blob.digest.replace(':', '%3A')}&from={mount.replace('/', '%2F')}"
            scopes.append(_pull(mount))
        with self._ask("POST", path, what, tuple(scopes), given=(201, 202)) as answer:
            return None if answer.status_code == 201 else urljoin(answer.url, answer.headers["Location"])

    def _send(self, repository: str, place: str, body: _Sized, what: str) -> str:
        """The bytes, in one request; where to go on. What went wrong is for the caller, who begins again."""
        headers = {"Content-Type": "application/octet-stream"}
        answer = self._once("PATCH", place, (_push(repository),), headers, body)
        with answer:
            if answer.status_code in _AGAIN:
                raise requests.exceptions.RequestException(f"{answer.status_code} {answer.reason}")
            if answer.status_code not in (202, 204):
                raise refused(self.host, what, answer)
            return str(urljoin(answer.url, answer.headers.get("Location", place)))

    def _ask(
        self,
        method: str,
        path: str,
        what: str,
        scopes: tuple[str, ...],
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        given: tuple[int, ...] = (200,),
    ) -> requests.Response:
        """An answer whose status is one of `given`; asked again when that may help."""
        for attempt in range(1, _ATTEMPTS + 1):
            wait = None
            try:
                answer = self._once(method, urljoin(self._base, path), scopes, headers or {}, body)
            except requests.exceptions.SSLError as error:
                raise unreachable(self.host, what, error) from error
            except requests.exceptions.RequestException as error:
                if attempt == _ATTEMPTS or isinstance(error, requests.exceptions.InvalidURL):
                    raise unreachable(self.host, what, error) from error
                said = type(error).__name__
            else:
                if answer.status_code in given:
                    return answer
                if answer.status_code not in _AGAIN or attempt == _ATTEMPTS:
                    with answer:
                        raise refused(self.host, what, answer)
                said, wait = f"{answer.status_code} {answer.reason}", answer.headers.get("Retry-After", "")
                answer.close()
            self._wait(attempt, what, said, float(wait) if wait and wait.isdigit() else None)
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self, method: str, url: str, scopes: tuple[str, ...], headers: Mapping[str, str], body: bytes | _Sized | None
    ) -> requests.Response:
        """One answer; a challenge is met once, as the token may be missing or have expired."""
        # No body that can be read only once is sent before the token is known to be good: a POST goes ahead of it.
        answer = self._send_once(method, url, scopes, headers, body)
        if answer.status_code == 401 and not isinstance(body, _Sized):
            with answer:
                if self._tokens.meet(answer.headers.get("WWW-Authenticate", ""), scopes):
                    return self._send_once(method, url, scopes, headers, body)
        return answer

    def _send_once(
        self, method: str, url: str, scopes: tuple[str, ...], headers: Mapping[str, str], body: bytes | _Sized | None
    ) -> requests.Response:
        mine = urlsplit(url).netloc == urlsplit(self._base).netloc
        return self._session.request(
            method,
            url,
            headers=dict(headers),
            data=body,
            # A login of ~/.netrc would be taken in its place, if this were no function.
            auth=self._tokens.signer(scopes) if mine else _unsigned,
            stream=True,
            timeout=_TIMEOUT,
            allow_redirects=method == "GET",
        )

    def _wait(self, attempt: int, what: str, said: str, seconds: float | None = None) -> None:
        seconds = min(2.0 ** (attempt - 1) if seconds is None else seconds, _LONGEST_WAIT)
        self._tell(f"{self.host} does not {what} ({said}); again in {seconds:.0f} s")
        time.sleep(seconds)

    def tried(self, what: str, do: Callable[[], T]) -> T:
        """What comes of something that reads or sends many bytes; begun again when a connection is cut.

        Raises:
            PlatformError: the registry refuses, or cannot be reached.
        """
        for attempt in range(1, _ATTEMPTS):
            try:
                return do()
            except (requests.exceptions.RequestException, OSError) as error:
                self._wait(attempt, what, type(error).__name__)
        try:
            return do()
        except (requests.exceptions.RequestException, OSError) as error:
            raise unreachable(self.host, what, error) from error


class _Raw:
    """What is on the wire. A blob is bytes; nothing is to be decoded."""

    def __init__(self, answer: requests.Response) -> None:
        self._answer = answer

    def read(self, size: int = -1, /) -> bytes:
        from urllib3.exceptions import HTTPError

        try:
            return bytes(self._answer.raw.read(None if size < 0 else size, decode_content=False))
        except HTTPError as error:
            raise requests.exceptions.ConnectionError(str(error)) from error


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _pull(repository: str) -> str:
    return f"repository:{repository}:pull"


def _push(repository: str) -> str:
    return f"repository:{repository}:pull,push"
