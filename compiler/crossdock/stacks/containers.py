"""Tasks in containers: what their orchestrators are configured with, registries, and what builds an image."""

from __future__ import annotations

import abc
import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Literal, TypeVar

from crossdock.dsl.frozen import frozen
from crossdock.stacks.base import ComponentConfig, SecretReference, StackComponent


class PackageIndex(ComponentConfig):
    """Where Python packages come from when images are built. Nothing of it ends in an image or in a Dockerfile.

    Attributes:
        url: of the index, instead of the one that pip is configured with on this machine.
        extra_urls: of further indexes.
        user: for the index at `url`.
        password: for the index at `url`.
    """

    url: str | None = None
    extra_urls: tuple[str, ...] = ()
    user: str | None = None
    password: SecretReference | None = None


class ContainerConfig(ComponentConfig):
    """What every orchestrator is configured with whose tasks run in containers.

    Attributes:
        image: what images are built from; where none is built, what tasks run in that name no image of their own: it
            holds Python, obstore and the runtime then. None is Python's own slim image.
        packaging: `image` puts the project into the image; `code` lets the runtime fetch it from the artifact store, so
            that an edit needs no build.
        build: whether images are built. None builds where there is a place for them: on Docker always, elsewhere
            where the stack has a container registry.
        builder: flavor of what builds them: `engine` is Docker's, `registry` appends layers in the registry, with no
            daemon.
        dockerfile: the user's own, relative to the project's root: `FROM`, and all that is above Crossdock's part.
        platform: of the images.
        requirements: of all tasks, beside their own.
        index: where requirements come from.
    """

    image: str | None = None
    packaging: Literal["image", "code"] = "image"
    build: bool | None = None
    builder: str = "engine"
    dockerfile: str | None = None
    platform: str = "linux/amd64"
    requirements: tuple[str, ...] = ()
    index: PackageIndex = PackageIndex()

    @property
    def base(self) -> str:
        """The image that others are built from."""
        return self.image or f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"


@frozen
class Login:
    """A user and a password, or a token, for a registry.

    Attributes:
        user: its name; `<token>` where the password is an identity token, to be exchanged for others by OAuth 2.
    """

    user: str
    password: str


R = TypeVar("R", bound=ComponentConfig)


class ContainerRegistry(StackComponent[R], abc.ABC):
    """Where images are kept."""

    type = "container_registry"

    @property
    @abc.abstractmethod
    def prefix(self) -> str:
        """What stands before each name: `host[:port]/path`, without a slash at the end."""

    @property
    def insecure(self) -> bool:
        """Whether it speaks HTTP; Docker allows that for loopback addresses only."""
        return False

    @abc.abstractmethod
    def repository(self, name: str) -> str:
        """The repository `prefix/name`, held to the registry's own rules of naming.

        Raises:
            BadInput: the registry takes no such name.
        """

    @abc.abstractmethod
    def login(self) -> Login | None:
        """By the vendor's credential chain, else by what `docker login` has stored; None is anonymous.

        Raises:
            PlatformError: the vendor refuses, or cannot be reached.
            BadInput: its library is not installed, or a secret is not there.
        """

    def prepare(self, repository: str) -> None:
        """Make a repository where the registry wants it made before the first push."""


@frozen
class ImageRecipe:
    """What an image is made of; equal recipes make equal images.

    Attributes:
        base: the image that it starts from, as it was named.
        requirements: as they were declared, sorted; obstore among them.
        runtime: sha256 of the runtime bundle.
        project: digest of the project that is in it; None for none.
        dockerfile: the text.
    """

    base: str
    platform: str
    requirements: tuple[str, ...]
    runtime: str
    project: str | None
    dockerfile: str

    @property
    def digest(self) -> str:
        """sha256 in hex: the content hash that the image's tag comes from."""
        body = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


@frozen
class BuildContext:
    """The files that an image is built of.

    Attributes:
        files: name in the build's context to contents, `Dockerfile`, `requirements.txt` and `runtime.zip` among them;
            the project's files are below `project/`.
        python: the minor version that the image has to hold, as `3.11`.
        index: where requirements come from.
    """

    files: Mapping[str, bytes | Path]
    python: str
    index: PackageIndex = PackageIndex()


@frozen
class BuiltImage:
    """What came of a build.

    Attributes:
        reference: `name@sha256:…` where it is in a registry, else the tag in the local engine.
        base: the base with the digest that it had.
        requirements: all installed distributions as `name==version`.
    """

    reference: str
    base: str
    requirements: tuple[str, ...] = ()


class ImageBuilder(abc.ABC):
    """Builds images; found by name in the entry-point group `crossdock.image_builders`.

    Attributes:
        needs_registry: whether it builds in a registry only.
        takes_dockerfile: whether it honours the user's own Dockerfile.
    """

    flavor: ClassVar[str]
    needs_registry: ClassVar[bool] = False
    takes_dockerfile: ClassVar[bool] = True

    @abc.abstractmethod
    def build(
        self,
        recipe: ImageRecipe,
        context: Callable[[], AbstractContextManager[BuildContext]],
        name: str,
        registry: ContainerRegistry[ComponentConfig] | None,
        tell: Callable[[str], None],
    ) -> BuiltImage:
        """Build an image and, where there is a registry, push it; one that is there already is not built again.

        Args:
            recipe: what it is made of.
            context: gives the files, where they are needed.
            name: `repository:tag`.
            registry: where to; None keeps it in the local engine.
            tell: is given each line of progress.

        Raises:
            PlatformError: the engine, the registry or the package index refuses or cannot be reached; or a build fails,
                by its Dockerfile, base image or requirements. Nothing is half-pushed: the tag is written last.
            BadInput: the builder cannot do what is asked, or lacks a tool.
        """

    def exists(self, name: str, registry: ContainerRegistry[ComponentConfig] | None) -> bool:
        """Whether an image is where it would be built to."""
        return False
