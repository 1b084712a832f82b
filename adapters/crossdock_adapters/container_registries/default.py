"""Any registry that speaks the OCI distribution protocol."""

from __future__ import annotations

import re

from pydantic import field_validator
from pydantic_core import PydanticCustomError

from crossdock_adapters.container_registries._base import LOOPBACK, NAME, Registry, RegistryConfig

_HOST = re.compile(r"(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9A-Fa-f:]+\])(?::\d+)?")


class DefaultContainerRegistryConfig(RegistryConfig):
    """A registry by its address.

    Attributes:
        uri: `host[:port][/path]`, what stands before the name of each image.
        insecure: whether it speaks HTTP; left out, that is so on this machine's loopback addresses.
        credentials: a login by reference, instead of what `docker login` has stored.
    """

    uri: str
    insecure: bool | None = None

    @field_validator("uri")
    @classmethod
    def _is_an_address(cls, uri: str) -> str:
        if "://" in uri:
            raise PydanticCustomError("uri", "takes host[:port][/path], without https://; --insecure is for HTTP")
        host, slash, path = uri.rstrip("/").partition("/")
        if not _HOST.fullmatch(host):
            raise PydanticCustomError("uri", "takes host[:port][/path], such as registry.example.com/team")
        if slash and not NAME.fullmatch(path):
            raise PydanticCustomError("uri", "has a path that is none: lower-case letters, digits, and . _ - inside")
        return uri.rstrip("/")


class DefaultContainerRegistry(Registry[DefaultContainerRegistryConfig]):
    """Any registry that speaks the OCI distribution protocol."""

    flavor = "default"
    Config = DefaultContainerRegistryConfig

    @property
    def host(self) -> str:
        return self.config.uri.partition("/")[0]

    @property
    def path(self) -> str:
        return self.config.uri.partition("/")[2]

    @property
    def insecure(self) -> bool:
        given = self.config.insecure
        return bool(LOOPBACK.fullmatch(self.host)) if given is None else given
