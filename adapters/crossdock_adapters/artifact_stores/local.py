"""Artifact store in a folder of this machine."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import field_validator
from pydantic_core import PydanticCustomError

from crossdock.dsl.errors import StoreError
from crossdock.stacks import ArtifactStore, ComponentConfig
from crossdock_runtime.store import Store


class LocalArtifactStoreConfig(ComponentConfig):
    """Where the store is; None is the user's data folder."""

    path: str | None = None

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, path: str | None) -> str | None:
        if path is not None and "://" in path:
            raise PydanticCustomError("path", "takes a folder of this machine, without file:// or another scheme")
        return path


class LocalArtifactStore(ArtifactStore[LocalArtifactStoreConfig]):
    """A folder of this machine."""

    flavor = "local"
    Config = LocalArtifactStoreConfig

    @property
    def root(self) -> Path:
        """The folder: the configured one, else `$CROSSDOCK_STORE`, else `store` in the user's data folder."""
        if self.config.path is not None:
            return (self.folder or Path()) / Path(self.config.path).expanduser()
        given = os.environ.get("CROSSDOCK_STORE")
        if given:
            return Path(given).expanduser()
        import platformdirs

        return Path(platformdirs.user_data_dir("crossdock", appauthor=False)) / "store"

    @property
    def url(self) -> str:
        return str(self.root)

    def open(self) -> Store:
        root = self.root.absolute()
        there = next(place for place in (root, *root.parents) if place.exists())
        if not there.is_dir():
            what = "it is a file" if there == root else f"{there} is a file"
            hint = "name a folder: CROSSDOCK_STORE, or path: of the artifact store"
            raise StoreError(f"the store {root} is no folder: {what}", hint=hint, id="not-a-folder")
        return Store.open(self.root)
