"""Build what a plan's tasks run in, and write down what came of it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from crossdock import registry
from crossdock.dsl.errors import BadInput
from crossdock.dsl.frozen import frozen
from crossdock.ir import Plan
from crossdock.passes.load import Loaded
from crossdock.review.images_lock import ImagesLock
from crossdock.review.packaging import (
    Packaged,
    are_built,
    context_texts,
    packaged,
    registry_of,
    their_dockerfile,
)
from crossdock.review.runtime_bundle import runtime_bundle
from crossdock.stacks import BuildContext, ContainerConfig, ImageBuilder, ImageRecipe, Stack


@frozen
class Image:
    """An image that a stack's tasks run in.

    Attributes:
        name: `repository:tag`.
        reference: how tasks name it.
        tasks: that run in it.
    """

    name: str
    reference: str
    base: str
    requirements: tuple[str, ...]
    tasks: tuple[str, ...]


@frozen
class Built:
    """What a build came to.

    Attributes:
        packaged: the plan, with the images as they are now.
        lock: the file that says what they are; None where none was built.
    """

    packaged: Packaged
    images: tuple[Image, ...] = ()
    lock: Path | None = None

    def document(self) -> dict[str, Any]:
        """As JSON-able data."""
        project, packaging = self.packaged.project, self.packaged.plan.packaging
        return {
            "images": [
                {
                    "name": image.name,
                    "reference": image.reference,
                    "base": image.base,
                    "requirements": list(image.requirements),
                    "tasks": list(image.tasks),
                }
                for image in self.images
            ],
            "code": packaging.code if packaging is not None else None,
            "project": None
            if project is None
            else {"digest": project.digest, "files": len(project.files), "bytes": project.size},
        }


def build(loaded: Loaded, stack: Stack, tell: Callable[[str], None]) -> Built:
    """Build every image that is not there yet, and write `images.lock`.

    Args:
        loaded: the pipeline.
        stack: what it is to run on.
        tell: is given each line of progress.

    Raises:
        PlatformError: the engine or the registry refuses, or cannot be reached.
        BadInput: the stack has no place for images, or a Dockerfile, a base image or a requirement is wrong.
    """
    before = packaged(loaded, stack)
    builder = _builder(stack) if before.recipes else None
    if before.project is not None:
        tell(before.project.summary())
        for problem in before.project.warnings:
            tell(f"warning: {problem}")
    if builder is None:
        return Built(before)
    lock = ImagesLock(loaded.root)
    by_digest = {recipe.digest: recipe for recipe in before.recipes.values()}
    images = []
    for digest, recipe in by_digest.items():
        name = before.names[digest]
        context = partial(_context, loaded, stack, recipe, before, lock)
        built = builder.build(recipe, context, name, registry_of(stack), tell)
        lock = ImagesLock(loaded.root)  # another build may have written to it meanwhile
        lock.add(name, recipe, built)
        lock.write()
        tasks = tuple(task for task, own in before.recipes.items() if own.digest == digest)
        pins = lock.pins(recipe)
        assert pins is not None
        images.append(Image(name, built.reference, pins.base, pins.requirements, tasks))
    return Built(packaged(loaded, stack, before.project), tuple(images), lock.file)


def refuse_missing(plan: Plan, images: Mapping[str, str], stack: Stack) -> None:
    """Refuse a plan whose images are not where they were built to.

    Args:
        plan: of a bundle.
        images: `repository:tag` of each image that was to be built, by how tasks name it.
        stack: what it is to run on.

    Raises:
        BadInput: one of them is not there.
        PlatformError: the engine or the registry cannot be asked.
    """
    if not images or not are_built(stack):
        return
    builder, place = _builder(stack), registry_of(stack)
    missing = [name for name in dict.fromkeys(images.values()) if not builder.exists(name, place)]
    if missing:
        where = f"registry {place.name!r}" if place is not None else "this machine's container engine"
        raise BadInput(
            f"{where} has no image {', '.join(missing)}, which pipeline {plan.name!r} runs in",
            hint=f"crossdock build SOURCE --stack {stack.name}, from the commit that was reviewed",
            id="image-missing",
        )


def _builder(stack: Stack) -> ImageBuilder:
    config = stack.orchestrator.config
    assert isinstance(config, ContainerConfig)
    builder: ImageBuilder = registry.image_builder(config.builder)
    if builder.needs_registry and registry_of(stack) is None:
        raise BadInput(
            f"the image builder {config.builder!r} needs a container registry, and stack {stack.name!r} has none",
            hint="builder: engine builds on this machine; or add a container registry to the stack",
            id="no-registry",
        )
    if config.dockerfile is not None and not builder.takes_dockerfile:
        raise BadInput(
            f"the image builder {config.builder!r} builds from no Dockerfile, and the orchestrator of stack "
            f"{stack.name!r} has one",
            hint="builder: engine builds it; or name its image: as the orchestrator's image, and leave dockerfile out",
            id="dockerfile-not-taken",
        )
    return builder


@contextmanager
def _context(
    loaded: Loaded, stack: Stack, recipe: ImageRecipe, found: Packaged, lock: ImagesLock
) -> Iterator[BuildContext]:
    """The files of an image; the project's are copied first, so that what is built is what was packed."""
    config = stack.orchestrator.config
    assert isinstance(config, ContainerConfig)
    theirs = their_dockerfile(loaded.root, recipe, config)
    files: dict[str, bytes | Path] = {name: text.encode() for name, text in context_texts(recipe, lock, theirs).items()}
    files["runtime.zip"] = runtime_bundle()
    with tempfile.TemporaryDirectory(prefix="crossdock-build-") as scratch:
        if recipe.project is not None and found.project is not None:
            for file, data in found.project.contents():
                place = Path(scratch, file.path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
                place.chmod(0o755 if file.executable else 0o644)
                files[f"project/{file.path}"] = place
        yield BuildContext(files, f"{sys.version_info.major}.{sys.version_info.minor}", config.index)
