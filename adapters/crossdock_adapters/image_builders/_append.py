"""Adding layers to an image in a registry: made on this machine, then pushed, the tag last of all."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from crossdock.stacks import BuildContext, BuiltImage, ComponentConfig, ContainerRegistry, ImageRecipe
from crossdock.stacks.image_layout import INSTALLED, LABEL, PACKAGES, PROJECT, REQUIREMENTS, RUNTIME, environment
from crossdock_adapters.container_registries._base import LOOPBACK
from crossdock_adapters.container_registries._distribution import Descriptor, Distribution
from crossdock_adapters.container_registries._docker_login import stored_login
from crossdock_adapters.container_registries._reference import Reference, read_reference
from crossdock_adapters.image_builders._base_image import BaseImage, Python, descriptor, find_python, read_base
from crossdock_adapters.image_builders._layers import Layer, Link, files_below, write_layer
from crossdock_adapters.image_builders._requirements import Target, install, installed
from crossdock_runtime.contract import CONTRACT

Registry = ContainerRegistry[ComponentConfig]
Tell = Callable[[str], None]
_OCI = "application/vnd.oci.image."
_OCI_LAYER, _OCI_CONFIG = f"{_OCI}layer.v1.tar+gzip", f"{_OCI}config.v1+json"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
_FROM = re.compile(r"^FROM\s+(\S+)", re.MULTILINE)
_PYTHON = "/usr/local/bin/python"


def append(
    recipe: ImageRecipe,
    context: Callable[[], AbstractContextManager[BuildContext]],
    name: str,
    registry: Registry,
    tell: Tell,
) -> BuiltImage:
    """Build an image, unless its tag is there; as `ImageBuilder.build` says."""
    target = read_reference(name)
    to = Distribution(target.host, registry.login(), insecure=registry.insecure, tell=tell)
    there = _built_before(to, target)
    if there is not None:
        tell(f"{name} is there already")
        return there
    with tempfile.TemporaryDirectory(prefix="crossdock-image-") as scratch, context() as files:
        named = _base_of(files) or recipe.base
        source = read_reference(named)
        at = to if source.host == target.host else _anonymous_or_stored(source.host, tell)
        base = read_base(at, named, source, recipe.platform)
        python = find_python(base, at, files.python, tell)
        layers, packages = _layers(recipe, files, base, python, Path(scratch), tell)
        registry.prepare(f"{target.host}/{target.repository}")
        config = _config(base, recipe, layers, packages)
        digest = _push(to, at, target, base, layers, config, tell)
    return BuiltImage(f"{target.host}/{target.repository}@{digest}", str(base.reference), packages)


def is_there(name: str, registry: Registry) -> bool:
    """Whether an image is in its registry; as `ImageBuilder.exists` says."""
    target = read_reference(name)
    there = Distribution(target.host, registry.login(), insecure=registry.insecure)
    return there.manifest(target.repository, target.version) is not None


def _base_of(context: BuildContext) -> str | None:
    """The base as the Dockerfile names it: with a digest, where `images.lock` knows one."""
    given = context.files.get("Dockerfile", b"")
    found = _FROM.search((given.read_bytes() if isinstance(given, Path) else given).decode())
    return found[1] if found else None


def _anonymous_or_stored(host: str, tell: Tell) -> Distribution:
    return Distribution(host, stored_login(host), insecure=bool(LOOPBACK.fullmatch(host)), tell=tell)


def _built_before(registry: Distribution, target: Reference) -> BuiltImage | None:
    """What is under the tag: it comes from a digest of the recipe, so it is what would be built."""
    found = registry.manifest(target.repository, target.version)
    if found is None:
        return None
    about, manifest = found
    config = json.loads(registry.read(target.repository, descriptor(manifest["config"])))
    labels = (config.get("config") or {}).get("Labels") or {}
    reference = f"{target.host}/{target.repository}@{about.digest}"
    return BuiltImage(reference, labels.get(f"{LABEL}base", ""), tuple(labels.get(f"{LABEL}requirements", "").split()))


def _layers(
    recipe: ImageRecipe, context: BuildContext, base: BaseImage, python: Python, scratch: Path, tell: Tell
) -> tuple[list[Layer], tuple[str, ...]]:
    """Requirements, runtime and project, from what changes least to what changes most; and what was installed."""
    found: list[Layer] = []
    packages: tuple[str, ...] = ()
    requirements = context.files.get("requirements.txt", b"")
    text = requirements.read_bytes() if isinstance(requirements, Path) else requirements
    if text.strip():
        file, folder = scratch / "requirements.txt", scratch / "packages"
        file.write_bytes(text)
        install(file, context.index, Target(context.python, recipe.platform, base.musl), folder, tell)
        packages = installed(folder)
        found.append(write_layer("requirements", files_below(folder, PACKAGES), scratch / "requirements.tar.gz"))
    runtime: dict[str, bytes | Path | Link] = {
        RUNTIME: context.files["runtime.zip"],
        REQUIREMENTS: text,
        INSTALLED: "".join(f"{item}\n" for item in packages).encode(),
    }
    if python.link:  # the constant command of every task says `python`
        runtime[_PYTHON] = Link(python.link)
    found.append(write_layer("runtime", runtime, scratch / "runtime.tar.gz"))
    project = {
        f"{PROJECT}/{name.removeprefix('project/')}": contents
        for name, contents in context.files.items()
        if name.startswith("project/")
    }
    if project:
        found.append(write_layer("project", project, scratch / "project.tar.gz"))
    return found, packages


def _config(base: BaseImage, recipe: ImageRecipe, layers: Iterable[Layer], packages: tuple[str, ...]) -> bytes:
    """The base's configuration with ours on top; it says no time, so that equal images are equal bytes.

    Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md
    """
    before: dict[str, Any] = json.loads(json.dumps(base.config))
    titles = {layer.title for layer in layers}
    inner = {**(before.get("config") or {})}
    ours = environment(base.environment, packages="requirements" in titles, project="project" in titles)
    inner["Env"] = [f"{name}={value}" for name, value in {**base.environment, **ours}.items()]
    inner["Labels"] = {
        **(inner.get("Labels") or {}),
        f"{LABEL}recipe": recipe.digest,
        f"{LABEL}contract": str(CONTRACT),
        f"{LABEL}base": str(base.reference),
        f"{LABEL}requirements": " ".join(packages),
    }
    before["config"] = inner
    before["rootfs"]["diff_ids"] += [layer.diff_id for layer in layers]
    if before.get("history"):
        before["history"] += [{"created_by": f"crossdock: {layer.title}"} for layer in layers]
    return json.dumps(before, separators=(",", ":"), sort_keys=True).encode()


def _push(
    to: Distribution,
    at: Distribution,
    target: Reference,
    base: BaseImage,
    layers: list[Layer],
    config: bytes,
    tell: Tell,
) -> str:
    """The digest of the image, once it is there under its tag."""
    source = base.reference
    for raw, blob in zip(base.manifest["layers"], base.layers, strict=True):
        if raw.get("urls"):  # it may not be distributed: who pulls the image gets it where it is
            continue
        mount = source.repository if at is to and source.repository != target.repository else None
        done = to.push_blob(target.repository, blob, _of_registry(at, source.repository, blob), mount)
        tell(f"{_short(blob)} of {base.name}: {done}")
    oci = base.media_type.startswith(_OCI)
    ours = [Descriptor(_OCI_LAYER if oci else _DOCKER_LAYER, layer.digest, layer.size) for layer in layers]
    for layer, blob in zip(layers, ours, strict=True):
        tell(f"{_short(blob)} with the {layer.title}: {to.push_blob(target.repository, blob, _of_file(layer.file))}")
    about = Descriptor(_OCI_CONFIG if oci else _DOCKER_CONFIG, _digest(config), len(config))
    to.push_blob(target.repository, about, _of_bytes(config))
    manifest = {
        "schemaVersion": 2,
        "mediaType": base.media_type,
        "config": _json(about),
        "layers": [*base.manifest["layers"], *map(_json, ours)],
    }
    body = json.dumps(manifest, separators=(",", ":"), sort_keys=True).encode()
    for version in (_digest(body), target.tag):
        to.push_manifest(target.repository, version, base.media_type, body)
    return _digest(body)


def _of_registry(at: Distribution, repository: str, blob: Descriptor) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: at.blob(repository, blob)


def _of_file(file: Path) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: file.open("rb")


def _of_bytes(body: bytes) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: io.BytesIO(body)


def _json(blob: Descriptor) -> Mapping[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _short(blob: Descriptor) -> str:
    return f"layer {blob.digest[7:19]}, {blob.size / 1e6:.1f} MB,"
