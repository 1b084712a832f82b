"""Images and recipes for the tests of the builder that needs no engine."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from crossdock import registry
from crossdock.review.runtime_bundle import runtime_bundle
from crossdock.stacks import BuildContext, BuiltImage, ContainerRegistry, ImageRecipe, Login, PackageIndex
from crossdock_adapters.container_registries._distribution import Descriptor, Distribution

OCI = "application/vnd.oci.image."
PIPE = {"project/pipe.py": b"print('the project')\n"}


def container_registry(address: str, path: str = "team", **config: Any) -> ContainerRegistry[Any]:
    """The flavor `default` for an address."""
    flavor = registry.flavor("container_registry", "default")
    found: ContainerRegistry[Any] = flavor("images", flavor.Config(uri=f"{address}/{path}", **config))
    return found


def recipe(base: str, requirements: tuple[str, ...] = (), **changes: str) -> ImageRecipe:
    """A recipe of an image."""
    fields = {
        "base": base,
        "platform": "linux/amd64",
        "runtime": "0" * 64,
        "project": "1" * 64,
        "dockerfile": f"# Made by Crossdock.\nFROM {base}\n",
        **changes,
    }
    return ImageRecipe(requirements=requirements, **fields)


def build(
    address: str | ContainerRegistry[Any],
    made: ImageRecipe,
    files: Mapping[str, bytes | Path] = PIPE,
    index: PackageIndex | None = None,
    tell: Callable[[str], None] = lambda line: None,
    python: str = "3.11",
) -> BuiltImage:
    """Build and push."""
    to = container_registry(address) if isinstance(address, str) else address

    @contextlib.contextmanager
    def context() -> Iterator[BuildContext]:
        texts = {
            "Dockerfile": made.dockerfile.encode(),
            "requirements.txt": "".join(f"{item}\n" for item in made.requirements).encode(),
            "runtime.zip": runtime_bundle(),
        }
        yield BuildContext({**texts, **files}, python, index or PackageIndex())

    builder = registry.image_builder("registry")
    found: BuiltImage = builder.build(made, context, name(to, made), to, tell)
    return found


def name(to: ContainerRegistry[Any], made: ImageRecipe) -> str:
    """Where it is built to."""
    return f"{to.repository('pipe')}:{made.digest[:16]}"


def tags(address: str, repository: str, login: Login | None = None) -> list[str]:
    """What a registry lists."""
    there = Distribution(address, login, insecure=True)
    path = f"/v2/{repository}/tags/list"
    with there._ask("GET", path, "list", (f"repository:{repository}:pull",), given=(200, 404)) as answer:
        return answer.json().get("tags") or [] if answer.status_code == 200 else []


def layer_of(files: Mapping[str, bytes]) -> bytes:
    """A layer that another program might have made."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, contents in files.items():
            entry = tarfile.TarInfo(f"./{path}")
            entry.size = len(contents)
            tar.addfile(entry, io.BytesIO(contents))
    return gzip.compress(packed.getvalue())


def push_image(
    address: str,
    repository: str = "base/python",
    tag: str = "3.11",
    layers: tuple[bytes | Path, ...] = (layer_of({"usr/bin/python": b"", "usr/bin/python3.11": b""}),),
    login: Login | None = None,
    platform: str = "amd64",
    **config: Any,
) -> str:
    """Push a small OCI image and return its name; layers are bytes, or files."""
    to = Distribution(address, login, insecure=True)

    def push(body: bytes | Path, kind: str) -> dict[str, Any]:
        data = body.read_bytes() if isinstance(body, Path) else body
        digest, size = f"sha256:{hashlib.sha256(data).hexdigest()}", len(data)
        source: Callable[[], AbstractContextManager[Any]] = lambda: io.BytesIO(data)  # noqa: E731
        to.push_blob(repository, Descriptor(kind, digest, size), source)
        return {"mediaType": kind, "digest": digest, "size": size}

    pushed = [push(layer, f"{OCI}layer.v1.tar+gzip") for layer in layers]
    about = {
        "os": "linux",
        "architecture": platform,
        "config": {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], **config},
        # Of the tests alone: what a layer unpacks to is asked by no registry.
        "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in pushed]},
    }
    kind = f"{OCI}manifest.v1+json"
    own = push(json.dumps(about).encode(), f"{OCI}config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": own, "layers": pushed}
    to.push_manifest(repository, tag, kind, json.dumps(manifest).encode())
    return f"{address}/{repository}:{tag}"


def manifest_and_config(image: str, login: Login | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is in the registry under `host/repository@digest`."""
    host, _, rest = image.partition("/")
    repository, _, digest = rest.partition("@")
    there = Distribution(host, login, insecure=True)
    found = there.manifest(repository, digest)
    assert found is not None
    config = found[1]["config"]
    return found[1], json.loads(
        there.read(repository, Descriptor(config["mediaType"], config["digest"], config["size"]))
    )


def layer_files(image: str, number: int) -> dict[str, bytes]:
    """The files of a layer, as they are in the registry."""
    host, _, rest = image.partition("/")
    repository = rest.partition("@")[0]
    layer = manifest_and_config(image)[0]["layers"][number]
    body = Distribution(host, None, insecure=True).read(
        repository, Descriptor(layer["mediaType"], layer["digest"], layer["size"])
    )
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}  # type: ignore[union-attr]
