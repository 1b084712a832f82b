"""Images without an engine: layers are added to a base image in the registry, from this machine."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager

from crossdock.dsl.errors import BadInput
from crossdock.stacks import BuildContext, BuiltImage, ComponentConfig, ContainerRegistry, ImageBuilder, ImageRecipe
from crossdock.stacks.image_layout import MADE


class RegistryImageBuilder(ImageBuilder):
    """Adds layers to a base image, straight in the registry.

    The base's own layers are mounted from its repository, or copied as a stream where it is in another registry. The
    image has the base's format, OCI's or Docker's. The manifest is written under its digest, then under the tag, last
    of all: a build that is cut off leaves nothing under the tag, and the next one finds the layers that are there.
    """

    flavor = "registry"
    needs_registry = True
    takes_dockerfile = False

    def build(
        self,
        recipe: ImageRecipe,
        context: Callable[[], AbstractContextManager[BuildContext]],
        name: str,
        registry: ContainerRegistry[ComponentConfig] | None,
        tell: Callable[[str], None],
    ) -> BuiltImage:
        if not recipe.dockerfile.startswith(MADE):
            raise BadInput(
                "the image builder 'registry' cannot follow a Dockerfile of yours: it adds layers to the base image, "
                "and runs nothing in it",
                hint="builder: engine follows it; or build it yourself, push it, and name it as image:",
                id="dockerfile-not-taken",
            )
        _need_requests()
        from crossdock_adapters.image_builders._append import append

        assert registry is not None, "needs_registry"
        return append(recipe, context, name, registry, tell)

    def exists(self, name: str, registry: ContainerRegistry[ComponentConfig] | None) -> bool:
        _need_requests()
        from crossdock_adapters.image_builders._append import is_there

        assert registry is not None, "needs_registry"
        return is_there(name, registry)


def _need_requests() -> None:
    if importlib.util.find_spec("requests") is None:
        raise BadInput(
            "the image builder 'registry' needs requests, which is not installed",
            hint="pip install 'crossdock[registry]'",
            id="missing-library",
        )
