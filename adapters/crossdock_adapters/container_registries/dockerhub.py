"""Docker Hub."""

from __future__ import annotations

from typing import Annotated

from crossdock_adapters.container_registries._base import Registry, RegistryConfig, matching


class DockerHubContainerRegistryConfig(RegistryConfig):
    """A user or an organization on Docker Hub.

    Source: https://docs.docker.com/docker-hub/repos/create/

    Attributes:
        owner: the user or the organization, in lower case.
        credentials: user and access token by reference, instead of what `docker login` has stored.
    """

    owner: Annotated[str, matching(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?", "a user or an organization, in lower case")]


class DockerHubContainerRegistry(Registry[DockerHubContainerRegistryConfig]):
    """Docker Hub; the login is a user with an access token."""

    flavor = "dockerhub"
    Config = DockerHubContainerRegistryConfig

    @property
    def host(self) -> str:
        return "docker.io"

    @property
    def path(self) -> str:
        return self.config.owner

    def refuses(self, name: str, whole: str) -> str | None:
        """Names have one level, and 2 to 255 characters.

        Source: https://docs.docker.com/docker-hub/repos/create/#considerations-for-creating-repositories
        """
        if "/" in name:
            return f"names on Docker Hub have one level below {self.config.owner!r}"
        if len(name) < 2:
            return "names on Docker Hub have two characters or more"
        return super().refuses(name, whole)
