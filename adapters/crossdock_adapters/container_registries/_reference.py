"""Names of images, read as docker reads them."""

from __future__ import annotations

import re

from crossdock.dsl.errors import BadInput
from crossdock.dsl.frozen import frozen
from crossdock_adapters.container_registries._base import NAME

HUB = "docker.io"
_TAG = re.compile(r"[\w][\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@frozen
class Reference:
    """An image in a registry.

    Attributes:
        host: `host[:port]`.
        repository: the path.
        tag: empty where there is a digest.
        digest: `sha256:…`, or empty.
    """

    host: str
    repository: str
    tag: str
    digest: str

    @property
    def version(self) -> str:
        """What the registry is asked for: the digest, else the tag."""
        return self.digest or self.tag

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}" + (f"@{self.digest}" if self.digest else f":{self.tag}")


def read_reference(text: str) -> Reference:
    """An image by its name: without a host it is on Docker Hub, without a tag it is `latest`.

    Source: https://github.com/distribution/reference/blob/v0.6.0/normalize.go

    Raises:
        BadInput: the text is no name of an image.
    """
    name, at, digest = text.partition("@")
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    name = f"{head}{slash}{last}"
    host, slash, repository = name.partition("/")
    if not slash or not (any(sign in host for sign in ".:") or host == "localhost"):
        host, repository = HUB, name
    if host in (HUB, "index.docker.io"):
        host, repository = HUB, repository if "/" in repository else f"library/{repository}"
    if not NAME.fullmatch(repository) or (colon and not _TAG.fullmatch(tag)) or (at and not _DIGEST.fullmatch(digest)):
        raise BadInput(f"{text!r} is no name of an image", hint="such as python:3.11-slim", id="bad-image-name")
    return Reference(host, repository, "" if at else tag or "latest", digest)
