"""What the artifact stores in buckets share: configuration only, as the runtime moves the bytes."""

from __future__ import annotations

import abc
import re
from collections.abc import Mapping
from typing import ClassVar, TypeVar

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from crossdock.stacks import ArtifactStore, ComponentConfig, SecretReference
from crossdock_runtime.store import Store

_PREFIX = re.compile(r"(/[^/?#\s\\]+)*/?")


class RemoteConfig(ComponentConfig):
    """What every store in a bucket is configured with.

    Attributes:
        uri: the bucket and a prefix in it.
        endpoint: where the store is, where that is not the vendor's own, as this machine sees it.
        container_endpoint: the same as a container sees it; like `endpoint` where it is not given.
        allow_http: let an endpoint begin with http://, where nothing is encrypted on its way.
        anonymous: send no credentials.
    """

    uri: str
    allow_http: bool = False
    endpoint: str | None = None
    container_endpoint: str | None = None
    anonymous: bool = False

    @field_validator("endpoint", "container_endpoint")
    @classmethod
    def _is_an_endpoint(cls, endpoint: str | None, info: ValidationInfo) -> str | None:
        if endpoint is None:
            return None
        scheme, _, rest = endpoint.partition("://")
        if scheme not in ("http", "https") or not rest or "@" in rest or "?" in rest:
            raise PydanticCustomError("secret", "takes https://host[:port], without user, password and query")
        if scheme == "http" and not info.data.get("allow_http"):
            raise PydanticCustomError("endpoint", "takes https://; for http:// set allow_http: true as well")
        return endpoint.rstrip("/")


R = TypeVar("R", bound=RemoteConfig)


class RemoteArtifactStore(ArtifactStore[R], abc.ABC):
    """A bucket and a prefix in it."""

    SECRETS: ClassVar[Mapping[str, str]]
    """Field of the configuration to option of the data plane."""

    @property
    def url(self) -> str:
        return self.config.uri.rstrip("/")

    @property
    def options(self) -> Mapping[str, str]:
        return self._options(self.config.container_endpoint or self.config.endpoint)

    @property
    def secrets(self) -> Mapping[str, SecretReference]:
        found = {option: getattr(self.config, field) for field, option in self.SECRETS.items()}
        return {option: reference for option, reference in found.items() if reference is not None}

    def credentials(self) -> Mapping[str, str]:
        if self.config.anonymous:
            return {}
        return super().credentials() if self.secrets else self._from_default_chain()

    def open(self) -> Store:
        """The data plane, with what this machine needs; for a secret that only a cluster has, its own credentials."""
        secrets = {
            option: reference.resolve(f"{self.name}.{option}")
            for option, reference in self.secrets.items()
            if reference.source != "kubernetes"
        }
        return Store.open(self.url, {**self._options(self.config.endpoint), **self._of_this_machine(), **secrets})

    def _options(self, endpoint: str | None) -> dict[str, str]:
        found = {**self._own_options(), "endpoint": endpoint}
        if self.config.allow_http:
            found["allow_http"] = "true"
        if self.config.anonymous:
            found["skip_signature"] = "true"
        return {name: value for name, value in sorted(found.items()) if value is not None}

    @abc.abstractmethod
    def _own_options(self) -> dict[str, str | None]:
        """Options of the vendor's own, no secrets."""

    def _of_this_machine(self) -> dict[str, str]:
        """Options that hold here only."""
        return {}

    @abc.abstractmethod
    def _from_default_chain(self) -> Mapping[str, str]:
        """The credentials that the vendor's default chain finds here, as of now.

        Raises:
            BadInput: there are none, or the vendor's library is needed.
        """


def bucket_uri(uri: str, scheme: str, bucket: re.Pattern[str], example: str) -> str:
    """A URI of a bucket, with a prefix or without.

    Raises:
        PydanticCustomError: it is another one.
    """
    found, separator, rest = uri.partition("://")
    name, slash, prefix = rest.partition("/")
    if "@" in name or "?" in uri:  # not shown, as it may hold a password or a signature
        raise PydanticCustomError("secret", f"takes {example} alone: no user, no password, no query")
    if not separator or found != scheme:
        raise PydanticCustomError("uri", f"takes {example}")
    if not bucket.fullmatch(name):
        raise PydanticCustomError("uri", f"takes {example}, with a name that the vendor takes")
    if not _PREFIX.fullmatch(slash + prefix) or ".." in prefix.split("/") or "." in prefix.split("/"):
        raise PydanticCustomError("uri", f"takes {example}, with a prefix of names joined by single slashes")
    return uri.rstrip("/")
