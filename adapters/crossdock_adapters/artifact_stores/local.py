"""Artifact store in a folder of this machine."""

from __future__ import annotations

import os
from pathlib import Path

from crossdock.stacks import ArtifactStore, ComponentConfig
from crossdock_runtime.store import Store


class LocalArtifactStoreConfig(ComponentConfig):
    """Where the store is; None is the user's data folder."""

    path: str | None = None


class LocalArtifactStore(ArtifactStore[LocalArtifactStoreConfig]):
    """A folder of this machine."""

    flavor = "local"
    Config = LocalArtifactStoreConfig

    @property
    def root(self) -> Path:
        """The folder: the configured one, else `$CROSSDOCK_STORE`, else `store` in the user's data folder."""
        if self.config.path is not None:
            return Path(self.config.path).expanduser()
        given = os.environ.get("CROSSDOCK_STORE")
        if given:
            return Path(given).expanduser()
        import platformdirs

        return Path(platformdirs.user_data_dir("crossdock", appauthor=False)) / "store"

    @property
    def url(self) -> str:
        return str(self.root)

    def open(self) -> Store:
        return Store.open(self.root)
