"""Image builder `engine`: a container engine on this machine, or where DOCKER_HOST says, builds with BuildKit.

It calls the docker command line, for builds with secrets need BuildKit, and no SDK speaks to that.

Sources: https://docs.docker.com/reference/cli/docker/buildx/build/, https://docs.docker.com/build/building/secrets/
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from crossdock.stacks import BuildContext, BuiltImage, ComponentConfig, ContainerRegistry, ImageBuilder, ImageRecipe
from crossdock.stacks.image_layout import INSTALLED, LABEL, MADE
from crossdock_adapters.image_builders._docker import Docker, build_failed, logged_in, push_failed, refuse_unreachable
from crossdock_adapters.image_builders._pip import pip_configuration

_RECIPE, _BASE = f"{LABEL}recipe", f"{LABEL}base"
_PYTHON = re.compile(r"#\d+ [\d.]+ Python (\d+\.\d+)")
_STEP = re.compile(r"#\d+ (\[(?:\S+ )?\d+/\d+\] .*)")


class EngineImageBuilder(ImageBuilder):
    """Builds with the docker command line and BuildKit; an image stays in the engine where there is no registry."""

    flavor = "engine"

    def build(
        self,
        recipe: ImageRecipe,
        context: Callable[[], AbstractContextManager[BuildContext]],
        name: str,
        registry: ContainerRegistry[ComponentConfig] | None,
        tell: Callable[[str], None],
    ) -> BuiltImage:
        """Build an image; one whose label says the same recipe is taken as it is."""
        with logged_in(registry) as docker:
            found = _inspect(docker, name)
            if found is None or _labels(found).get(_RECIPE) != recipe.digest:
                tell(f"building {name} from {recipe.base}")
                base = _build(_for_base(docker, recipe, registry), recipe, context, name, tell)
            else:
                base = _labels(found).get(_BASE)
            reference = name if registry is None else _push(docker, name, registry, tell)
            return BuiltImage(reference, base or _local_base(docker, recipe.base), _installed(docker, name))

    def exists(self, name: str, registry: ContainerRegistry[ComponentConfig] | None) -> bool:
        """Whether an image is in the registry, or in the engine where there is none."""
        with logged_in(registry) as docker:
            if registry is None:
                return _inspect(docker, name) is not None
            return _in_registry(docker, name, registry) is not None


def _for_base(docker: Docker, recipe: ImageRecipe, registry: ContainerRegistry[ComponentConfig] | None) -> Docker:
    """Who fetches the base: with the registry's login where it is in there, else with the user's own."""
    inside = registry is not None and recipe.base.startswith(f"{registry.prefix.partition('/')[0]}/")
    return docker if inside else Docker()


def _build(
    docker: Docker,
    recipe: ImageRecipe,
    context: Callable[[], AbstractContextManager[BuildContext]],
    name: str,
    tell: Callable[[str], None],
) -> str | None:
    """Build and, when all of it is there, tag; the base with its digest, where BuildKit says it."""
    lines: list[str] = []
    with context() as given, tempfile.TemporaryDirectory(prefix="crossdock-build-") as scratch:
        pip = pip_configuration(given.index)
        folder = _written(given.files, Path(scratch, "context"))
        conf = Path(scratch, "pip.conf")
        conf.touch(mode=0o600)
        conf.write_text(pip.text, encoding="utf-8")
        words = ["build", "--progress=plain", "--platform", recipe.platform, "--iidfile", f"{scratch}/image"]
        words += ["--label", f"{_RECIPE}={recipe.digest}", "--secret", f"id=pip.conf,src={conf}"]
        if pip.certificates is not None:
            words += ["--secret", f"id=ca.pem,src={pip.certificates}"]
        if pip.on_loopback:
            words += ["--network", "host"]
        pinned = re.search(
            r"^FROM (\S+@sha256:\S+)$", (folder / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE
        )
        if pinned is not None:
            words += ["--label", f"{_BASE}={pinned[1]}"]

        def hear(line: str) -> None:
            for secret in pip.secrets:
                line = line.replace(secret, "***")
            lines.append(line)
            step = _STEP.match(line)
            found = _PYTHON.fullmatch(line)
            if found is not None and found[1] != given.python:
                tell(f"warning: {recipe.base} has Python {found[1]}, and the pipeline was compiled with {given.python}")
            if step is not None:
                tell(f"  {_shown(step[1])}")

        if docker.follow([*words, str(folder)], hear) != 0:
            raise build_failed(lines, recipe.base, not recipe.dockerfile.startswith(MADE))
        docker.must("tag", Path(scratch, "image").read_text(encoding="utf-8").strip(), name)
    return pinned[1] if pinned is not None else _base_in(lines, recipe.base)


def _shown(step: str) -> str:
    """A step of a build in a line; that which installs the requirements is a script, and is called by what it does."""
    text = " ".join(step.split())
    head, found, _ = text.partition("RUN --mount=type=secret,id=pip.conf")
    return f"{head}install the requirements" if found else text[:100]


def _written(files: Mapping[str, bytes | Path], folder: Path) -> Path:
    """The build's context as files, which any user of the image can read."""
    folder.mkdir()
    for name, data in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, bytes):
            place.write_bytes(data)
            place.chmod(0o644)
        else:
            shutil.copyfile(data, place)
            place.chmod(0o755 if data.stat().st_mode & 0o100 else 0o644)
    for made in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        made.chmod(0o755)
    return folder


def _base_in(lines: list[str], base: str) -> str | None:
    """The base with its digest, as BuildKit resolves it."""
    for line in lines:
        found = re.search(r"FROM (\S+)@(sha256:[0-9a-f]{64})", line)
        if found is not None:
            return f"{_untagged(base)}@{found[2]}"
    return None


def _local_base(docker: Docker, base: str) -> str:
    """The base with the digest that the engine knows of it; as it is named where it never was in a registry."""
    digest = _pushed(docker, base)
    return f"{_untagged(base)}@{digest}" if digest is not None and "@" not in base else base


def _untagged(image: str) -> str:
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _inspect(docker: Docker, name: str) -> dict[str, Any] | None:
    done = docker.run("image", "inspect", name)
    if done.returncode != 0:
        refuse_unreachable(done.stderr.decode(errors="replace"))
        return None
    found: dict[str, Any] = json.loads(done.stdout)[0]
    return found


def _labels(found: Mapping[str, Any]) -> Mapping[str, str]:
    return (found.get("Config") or {}).get("Labels") or {}


def _push(docker: Docker, name: str, registry: ContainerRegistry[ComponentConfig], tell: Callable[[str], None]) -> str:
    """Push an image, if it is not there; `name@sha256:…`. A registry takes the tag when it has all else."""
    repository = name.rpartition(":")[0]
    there = _in_registry(docker, name, registry)
    mine = _pushed(docker, name)
    if there is not None and there == mine:
        return f"{repository}@{there}"
    registry.prepare(repository)
    tell(f"pushing {name}")
    done = docker.run("push", name)
    said = (done.stdout + done.stderr).decode(errors="replace")
    digest = re.search(r"digest: (sha256:[0-9a-f]{64})", said)
    if done.returncode != 0 or digest is None:
        raise push_failed(name, said)
    return f"{repository}@{digest[1]}"


def _pushed(docker: Docker, name: str) -> str | None:
    """The digest that an image of the engine has in the registry that it was pushed to."""
    repository = _untagged(name).removeprefix("docker.io/").removeprefix("library/")
    found = _inspect(docker, name) or {}
    digests = [known.partition("@") for known in found.get("RepoDigests") or ()]
    return next((digest for place, _, digest in digests if place == repository), None)


def _in_registry(docker: Docker, name: str, registry: ContainerRegistry[ComponentConfig]) -> str | None:
    """The digest that a tag has in the registry; None where it is not there.

    Raises:
        PlatformError: the registry refuses, or cannot be reached.
    """
    insecure = ["--insecure"] if registry.insecure else []
    done = docker.run("manifest", "inspect", "-v", *insecure, name)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace")
        if re.search(r"no such manifest|manifest unknown|name unknown|not found|404", said, re.IGNORECASE):
            return None
        raise push_failed(name, said)
    body = json.loads(done.stdout)
    entry = body[0] if isinstance(body, list) else body
    return str(entry["Descriptor"]["digest"])


def _installed(docker: Docker, name: str) -> tuple[str, ...]:
    """What is installed in an image, from the file that says it; the image is not run."""
    import io
    import tarfile

    container = docker.must("create", name, "true").strip()
    try:
        done = docker.run("cp", f"{container}:{INSTALLED}", "-")
    finally:
        docker.run("rm", "-f", container)
    if done.returncode != 0:
        return ()
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        (member,) = archive.getmembers()
        file = archive.extractfile(member)
        text = file.read().decode() if file is not None else ""
    return tuple(sorted(line.strip() for line in text.splitlines() if "==" in line))
