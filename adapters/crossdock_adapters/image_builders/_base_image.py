"""The image that another is built from: its manifest for a platform, its configuration, and whether Python is in it."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any, cast

from crossdock.dsl.errors import PlatformError
from crossdock.dsl.frozen import frozen
from crossdock_adapters.container_registries._distribution import INDEXES, Descriptor, Distribution
from crossdock_adapters.container_registries._reference import Reference

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PYTHON = re.compile(r"python|python3\.\d+")


@frozen
class BaseImage:
    """A base image for one platform.

    Attributes:
        name: as it was named.
        reference: with the digest of what the name stands for, an index if it is one.
        manifest: of the platform.
        media_type: of the manifest.
        config: as https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md has it.
    """

    name: str
    reference: Reference
    manifest: Mapping[str, Any]
    media_type: str
    config: Mapping[str, Any]

    @property
    def layers(self) -> list[Descriptor]:
        """From the lowest to the topmost."""
        return [descriptor(layer) for layer in self.manifest["layers"]]

    @property
    def environment(self) -> dict[str, str]:
        """Its environment variables."""
        pairs = (text.partition("=") for text in (self.config.get("config") or {}).get("Env") or ())
        return {name: value for name, _, value in pairs}

    @property
    def musl(self) -> bool:
        """Whether it is an Alpine: what made its layers says so."""
        made = " ".join(str(entry.get("created_by", "")) for entry in self.config.get("history") or ())
        return "apk add" in made or "alpine" in made.lower()


def descriptor(found: Mapping[str, Any]) -> Descriptor:
    """A blob as a manifest has it."""
    return Descriptor(found["mediaType"], found["digest"], found["size"])


def read_base(registry: Distribution, name: str, reference: Reference, platform: str) -> BaseImage:
    """A base image.

    Raises:
        PlatformError: it is not there, there is none for the platform, or the registry refuses.
    """
    found = registry.manifest(reference.repository, reference.version)
    if found is None:
        raise PlatformError(
            f"there is no image {reference}",
            hint="the builder 'registry' takes base images from a registry only: push it to one, or build with a "
            "Docker Engine that has it (builder: engine)",
            id="bad-base-image",
        )
    about, manifest = found
    whole = Reference(reference.host, reference.repository, "", about.digest)
    try:
        if about.media_type in INDEXES:
            one = _of_platform(manifest, reference, platform)
            again = registry.manifest(reference.repository, one)
            if again is None:
                raise PlatformError(f"{reference} lists {one}, which is not there", id="bad-base-image")
            about, manifest = again
        config = json.loads(registry.read(reference.repository, descriptor(manifest["config"])))
        own = _platform(config)
        if not _matches(own, platform):
            raise _no_platform(reference, platform, [own])
        if len(config["rootfs"]["diff_ids"]) != len(manifest["layers"]):
            raise ValueError("its configuration and its manifest count other layers")
        return BaseImage(name, whole, manifest, about.media_type, config)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise PlatformError(
            f"{reference} is no image that can be built on: {type(error).__name__}: {error}", id="bad-base-image"
        ) from error


def _of_platform(index: Mapping[str, Any], reference: Reference, platform: str) -> str:
    offers = {_platform(entry["platform"]): entry["digest"] for entry in index["manifests"] if entry.get("platform")}
    for own, digest in offers.items():
        if _matches(own, platform):
            return str(digest)
    raise _no_platform(reference, platform, sorted(name for name in offers if not name.startswith("unknown/")))


def _platform(found: Mapping[str, Any]) -> str:
    return "/".join(filter(None, (found.get("os"), found.get("architecture"), found.get("variant"))))


def _matches(own: str, wanted: str) -> bool:
    return own == wanted or own.startswith(f"{wanted}/") or (wanted.startswith(f"{own}/") and own.count("/") == 1)


def _no_platform(reference: Reference, platform: str, offers: list[str]) -> PlatformError:
    return PlatformError(
        f"{reference} has no image for {platform}",
        hint=f"it has {', '.join(offers) or 'none'}: platform of the orchestrator names one, image another base",
        id="bad-base-image",
    )


@frozen
class Python:
    """The Python of a base image.

    Attributes:
        link: the program that `python` is to be a link to; empty where there is a `python`, or where that is unknown.
    """

    link: str = ""


def find_python(image: BaseImage, registry: Distribution, python: str, tell: Callable[[str], None]) -> Python:
    """Refuse a base without the Python that the pipeline was made with.

    PYTHON_VERSION, which Python's own images set, is believed; else the layers are looked through, topmost first, for
    `python3.N` and `python` in a folder of PATH.

    Raises:
        PlatformError: it has another Python, or none.
    """
    said = image.environment.get("PYTHON_VERSION")
    if said:
        version = ".".join(said.split(".")[:2])
        if version == python:
            return Python()
        raise _no_python(image, f"Python {version}", python)
    tell(f"looking for Python in the layers of {image.name}")
    found: dict[str, str] = {}
    for layer in reversed(image.layers):
        try:
            registry.tried(f"read {image.name}", partial(_look_through, image, registry, layer, python, found))
        except (tarfile.TarError, EOFError) as error:
            # Nobody is kept from building by a layer that is packed in a way of tomorrow.
            tell(f"{layer.digest} of {image.name} cannot be looked through: {error}")
            return Python()
        if {"python", f"python{python}"} <= found.keys():
            return Python()
    if f"python{python}" in found:
        return Python(found[f"python{python}"])
    others = ", ".join(sorted(name.removeprefix("python") for name in found if name != "python"))
    raise _no_python(image, f"Python {others}" if others else "no Python", python)


def _no_python(image: BaseImage, what: str, wanted: str) -> PlatformError:
    return PlatformError(
        f"the base image {image.name} holds {what}; the pipeline was compiled with Python {wanted}",
        hint=f"image: of the orchestrator names another, such as python:{wanted}-slim",
        id="bad-base-image",
    )


def _look_through(
    image: BaseImage, registry: Distribution, layer: Descriptor, python: str, found: dict[str, str]
) -> None:
    """Add the Pythons of a layer, by their name to their place; ends when there is what is wanted."""
    path = {PurePosixPath(folder.strip("/")) for folder in image.environment.get("PATH", _PATH).split(":")}
    with registry.blob(image.reference.repository, layer) as blob:
        for member in tarfile.open(fileobj=cast(IO[bytes], blob), mode="r|*"):  # noqa: SIM115 - blob is closed
            place = PurePosixPath(member.name.removeprefix("./"))
            if place.parent in path and _PYTHON.fullmatch(place.name):
                found.setdefault(place.name, f"/{place}")
                if {"python", f"python{python}"} <= found.keys():
                    return
