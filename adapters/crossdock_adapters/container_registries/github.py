"""GitHub's container registry, ghcr.io."""

from __future__ import annotations

import os
from typing import Annotated

from crossdock.stacks import Login
from crossdock_adapters.container_registries._base import Registry, RegistryConfig, matching

_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")


class GitHubContainerRegistryConfig(RegistryConfig):
    """An account on GitHub.

    Attributes:
        owner: the user or the organization; in names of images it stands in lower case, as ghcr.io wants it.
        credentials: user and a token that may write packages, by reference, instead of GITHUB_TOKEN, GH_TOKEN and what
            `docker login` has stored.
    """

    owner: Annotated[str, matching(r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}", "a user or an organization of GitHub")]


class GitHubContainerRegistry(Registry[GitHubContainerRegistryConfig]):
    """GitHub's container registry; the login is GITHUB_TOKEN or GH_TOKEN.

    Source: https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry
    """

    flavor = "github"
    Config = GitHubContainerRegistryConfig

    @property
    def host(self) -> str:
        return "ghcr.io"

    @property
    def path(self) -> str:
        return self.config.owner.lower()

    def vendor_login(self) -> Login | None:
        """The token of the environment; with a token, ghcr.io takes any user."""
        for name in _TOKENS:
            token = os.environ.get(name)
            if token:
                return Login(os.environ.get("GITHUB_ACTOR") or self.config.owner, token)
        return None
